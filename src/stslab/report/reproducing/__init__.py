"""A page alone → the same page again, or what differs. What a page says of itself is checked."""
