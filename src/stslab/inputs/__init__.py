"""Lists and files → checked tables."""
