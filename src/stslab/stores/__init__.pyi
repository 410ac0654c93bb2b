from .measure import recall as recall
from .opening import open_store as open_store
from .sample import docstrings as docstrings
from .sample import similar_vectors as similar_vectors
from .search import search_store as search_store
from .store import Store as Store
from .store import StoreError as StoreError
