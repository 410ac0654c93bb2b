"""Numbers → pictures and tables, with text alternatives from the data."""
