"""Reading a note: from free text to the fields of the summary."""
