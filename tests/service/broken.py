"""What the daemon runs first to have a bug: a check of a URL whose path is /bug raises, as no check of ours ever does.

A bug cannot be configured, so it is put in where the registry calls the check; everything around it is the real thing.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from monitor.model.request import HttpRequest
from monitor.protocols import registry
from monitor.secrets.secret import reveal


async def with_a_bug(run: Any, net: Any) -> Any:
    """The real check, but for one path."""
    url = reveal(run.spec.url)
    if "/bug" in url:
        raise ZeroDivisionError(f"a bug in the check of {url}")
    return await registry.HTTP.client()(run, net)


registry._OF_REQUEST[HttpRequest] = dataclasses.replace(registry.HTTP, client=lambda: with_a_bug)
