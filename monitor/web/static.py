"""The static files: read once, named by a hash of their content, and kept by browsers for a year."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_FAVICON = "icon.svg"


class Asset(NamedTuple):
    """One file: its content, its type, and the path that names this very content."""

    body: bytes
    content_type: str
    path: str


def _load() -> dict[str, Asset]:
    found = {}
    for file in files("monitor.web").joinpath("static").iterdir():
        stem, _, suffix = file.name.rpartition(".")
        if suffix in _TYPES:
            body = file.read_bytes()
            digest = hashlib.sha256(body).hexdigest()[:12]
            path = f"/static/{stem}.{digest}.{suffix}"
            found[file.name] = Asset(body, _TYPES[suffix], path)
    return found


_ASSETS = _load()
_BY_PATH = {asset.path: asset for asset in _ASSETS.values()}


def asset_path(name: str) -> str:
    """Where a static file is found, hash included."""
    return _ASSETS[name].path


async def serve_static(request: web.Request) -> web.Response:
    """A static file by its hashed name; the favicon also by the name that browsers guess."""
    asset = _BY_PATH.get(request.path)
    kept = "public, max-age=31536000, immutable"
    if request.path == "/favicon.ico":
        asset, kept = _ASSETS[_FAVICON], "public, max-age=86400"
    if asset is None:
        raise web.HTTPNotFound
    headers = {"Content-Type": asset.content_type, "Cache-Control": kept}
    return web.Response(body=asset.body, headers=headers)
