"""The static files: read once, named by a hash of their content, and kept by browsers for a year."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import NamedTuple

from aiohttp import web

from monitor.web.paths import link

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
    """Returns the path of a static file, with its hash."""
    return link(_ASSETS[name].path)


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


_COUNTED = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#c8141e" d="M1 3h30L16 31z"/>'
    '<text x="16" y="17" fill="#fff" font-family="sans-serif" font-weight="700" font-size="{size}" '
    'text-anchor="middle">{text}</text></svg>'
)


def icon_path(down: int) -> str:
    """Returns the path of the favicon that shows how many checks are down."""
    return link(f"/icon/{min(down, 100)}.svg") if down else asset_path(_FAVICON)


async def serve_icon(request: web.Request) -> web.Response:
    """The favicon with a number in it."""
    stem, _, suffix = request.match_info["icon"].partition(".")
    if suffix != "svg" or not stem.isascii() or not stem.isdecimal() or not 1 <= int(stem[:4]) <= 100:
        raise web.HTTPNotFound
    text = stem if int(stem) < 100 else "99+"
    body = _COUNTED.format(text=text, size=15 if len(text) < 3 else 11)
    headers = {"Content-Type": _TYPES["svg"], "Cache-Control": "public, max-age=86400"}
    return web.Response(text=body, headers=headers)
