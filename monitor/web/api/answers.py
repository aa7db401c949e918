"""Builds answers of the API: JSON with an ETag for clients to keep, and one sentence per error."""

from __future__ import annotations

import asyncio
import functools
import hashlib
import zlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web
from msgspec import Struct, json

from monitor.model.errors import HistoryError, NoRunNow
from monitor.web.api.parameters import BadParameter
from monitor.web.middleware import error
from monitor.web.negotiation import gzip_accepted

_LONG = 1400
"""Bytes; less fits into one packet anyway."""

_Self = TypeVar("_Self")
Handler = Callable[[_Self, web.Request], Awaitable[web.StreamResponse]]


def answered(handler: Handler[_Self]) -> Handler[_Self]:
    """The handler, whose exceptions become answers."""

    @functools.wraps(handler)
    async def handle(self: _Self, request: web.Request) -> web.StreamResponse:
        try:
            return await handler(self, request)
        except BadParameter as wrong:
            return error(request, 400, str(wrong))
        except HistoryError as away:
            return error(request, 503, str(away), headers={"Retry-After": "10"})
        except NoRunNow as refused:
            return error(request, 409, str(refused))

    return handle


async def json_answer(request: web.Request, document: Struct, status: int = 200) -> web.StreamResponse:
    """A document; 304 if the client has it already."""
    return await text_answer(request, json.encode(document), "application/json", status)


async def text_answer(request: web.Request, body: bytes, content_type: str, status: int = 200) -> web.StreamResponse:
    """Any text, in UTF-8."""
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"Cache-Control": "no-cache", "Vary": "Accept, Accept-Encoding", "ETag": tag}
    if status == 200 and _has(request, tag):
        return web.Response(status=304, headers=headers)
    if len(body) > _LONG and gzip_accepted(request.headers.get("Accept-Encoding")):
        body = await asyncio.to_thread(_compressed, body)
        headers["Content-Encoding"] = "gzip"
    headers["Content-Type"] = content_type if content_type == "application/json" else f"{content_type}; charset=utf-8"
    return web.Response(status=status, body=body, headers=headers)


def _has(request: web.Request, tag: str) -> bool:
    """RFC 9110, 13.1.2."""
    known = [part.strip() for part in request.headers.get("If-None-Match", "").split(",")]
    return tag in known or "*" in known


def _compressed(body: bytes) -> bytes:
    packer = zlib.compressobj(1, wbits=31)
    return packer.compress(body) + packer.flush()
