"""The revisions. Each is frozen: a journal of its version may be anywhere."""
