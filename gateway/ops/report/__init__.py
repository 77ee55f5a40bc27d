"""The report: how the pathway goes, by department, municipality and month, without any patient in it."""
