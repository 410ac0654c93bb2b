"""What a class needs: from the same notebooks, and from what learners hand in."""

from .checking import check

__all__ = ["check"]
