"""Checked jobs → pages that are up to date: plan, freshness, publishing."""
