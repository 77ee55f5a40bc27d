"""Messages gone wrong in every way, through all that reads them: `make fuzz`; a short form in the tests."""
