"""Semantic text similarity: read texts, load a model, score, draw and show.

Names are imported on first use, so ``import stslab`` is instant. `__init__.pyi` lists them;
`stslab.studies` holds what goes beyond the tutorial.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
