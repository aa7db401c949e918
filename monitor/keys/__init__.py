"""Reads single values of checks.toml, and says what is wrong with them."""
