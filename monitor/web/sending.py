"""Sends long answers piece by piece, as the client takes them."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from monitor.web.negotiation import gzip_accepted


def compressed(request: web.Request) -> bool:
    """True if the client accepts gzip."""
    return gzip_accepted(request.headers.get("Accept-Encoding"))


async def sent(
    request: web.Request,
    parts: Sequence[bytes | bytearray],
    content_type: str,
    encoding: str | None,
    **more: str,
) -> web.StreamResponse:
    """Send an answer; one of thirty megabytes is never copied as a whole. `more` are headers."""
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"} | more
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    response = web.StreamResponse(headers=headers)
    response.content_length = sum(map(len, parts))
    await response.prepare(request)
    *first, last = parts if request.method != "HEAD" else (b"",)
    for part in first:
        await response.write(part)
    await response.write_eof(bytes(last))  # aiohttp waits for the client only if there is something to write
    return response
