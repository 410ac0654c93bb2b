from .embedding import Embedded as Embedded
from .embedding import Progress as Progress
from .embedding import embed_file as embed_file
from .opening import open_store as open_store
from .search import search_store as search_store
from .store import Store as Store
from .store import StoreError as StoreError
