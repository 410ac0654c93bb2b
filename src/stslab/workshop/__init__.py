"""Teaching with the notebooks."""

from .checking import check

__all__ = ["check"]
