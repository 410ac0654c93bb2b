"""Notebooks → pages. Knows notebooks and nothing about similarity."""
