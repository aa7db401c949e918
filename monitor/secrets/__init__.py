"""Keeps secrets from being shown: secret values, redaction, password hashes, invisible characters."""
