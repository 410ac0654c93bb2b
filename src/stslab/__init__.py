"""Semantic text similarity: the helper behind stslab's notebooks.

Names are imported on first use, so ``import stslab`` is instant. `__init__.pyi` lists them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
