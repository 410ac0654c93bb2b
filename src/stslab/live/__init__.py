"""The model in one HTML file, which scores what people type: its engine, weights and tables."""
