"""TCP: a connection, and a dialogue over it."""
