"""The paths of the pages as browsers see them: behind a proxy they have the prefix that `external_url` names."""

from __future__ import annotations

from contextvars import ContextVar

from aiohttp import web

PREFIX: ContextVar[str] = ContextVar("prefix", default="")
"""The path of `external_url`, without the slash at its end; set for every request by `monitor.web.site`."""


EXTERNAL: web.RequestKey[str] = web.RequestKey("external", str)
"""`request[EXTERNAL]` is the origin of `external_url`, empty if there is none; `monitor.web.site` sets it."""


def base() -> str:
    """Returns the prefix of all paths."""
    return PREFIX.get()


def link(path: str) -> str:
    """Returns a path with the prefix, for a link or a redirect."""
    return PREFIX.get() + path
