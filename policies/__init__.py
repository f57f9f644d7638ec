"""A city's policy as files: reading, checking and keeping it at hand."""
