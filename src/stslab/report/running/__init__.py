"""Notebooks run by papermill on kernels, warm or fresh, each in an empty folder of its own."""
