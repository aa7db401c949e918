"""When runs start, and what runs them."""
