"""A file of any size → a store."""
