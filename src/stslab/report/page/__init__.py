"""Executed notebooks as pages: what a page says, how it looks, and what it was made from."""
