"""Vectors → numbers: cosine, words, bands, groups."""
