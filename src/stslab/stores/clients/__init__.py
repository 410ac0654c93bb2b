"""An adapter for each store, in its client's own calls."""
