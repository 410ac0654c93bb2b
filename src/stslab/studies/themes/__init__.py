"""Themes: what a list of texts is about, how much each theme holds, and how steady it is."""
