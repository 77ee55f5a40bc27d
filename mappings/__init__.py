"""Tables, no code: headings, phrases, code lists."""
