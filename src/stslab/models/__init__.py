"""A name → a model → vectors, cached."""
