"""Holds the present of all checks, and shows it."""
