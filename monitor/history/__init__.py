"""The past of all checks in a database: what is kept, how it is written beside the checks, and how it is read."""
