"""Answers that browsers and proxies may keep for a while, and ask about instead of fetching them anew (RFC 9111)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from aiohttp import ETag, web

from monitor.web.rendering import Parts


class CachedAnswer(NamedTuple):
    """An answer in pieces, and what tells it from others."""

    parts: Parts
    tag: str


def kept(parts: Parts) -> CachedAnswer:
    """An answer with the tag of its content."""
    digest = hashlib.blake2b(digest_size=12)
    for part in parts:
        digest.update(part)
    return CachedAnswer(parts, digest.hexdigest())


async def send_kept(request: web.Request, answer: CachedAnswer, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send it, or only say that the client has it already; `headers` name its type and how long it may be kept."""
    asked = request.if_none_match or ()
    known = any(tag.value in (answer.tag, "*") for tag in asked)
    response = web.StreamResponse(status=304 if known else 200, headers=headers)
    response.etag = ETag(answer.tag)
    if known:
        del response.headers["Content-Type"]
        response.headers.pop("Content-Encoding", None)
    else:
        response.content_length = sum(map(len, answer.parts))
    await response.prepare(request)
    *first, last = answer.parts if request.method != "HEAD" and not known else (b"",)
    for part in first:
        await response.write(part)
    await response.write_eof(bytes(last))
    return response
