"""What a class needs: from the same notebooks, and from what learners hand in."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach(__name__, submod_attrs={"checking": ["check"]})
