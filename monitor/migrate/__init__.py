"""Reads the configurations of other monitors and writes them as checks.toml, naming everything that does not fit.

One reader per product (`blackbox`, `gatus`, `kuma`) makes drafts; `vet` holds them against our own rules; `writer`
writes them. Nothing here asks a target or opens a connection. The daemon loads none of it.
"""
