"""The daemon with a bug in it: a check of a URL whose path is /bug raises, as a check of ours never should.

A bug cannot be configured, so it is put in where the registry calls the check; everything around it is the real thing.
"""

from __future__ import annotations

from typing import Any

from monitor.cli import main
from monitor.protocols import registry
from monitor.secrets.secret import reveal

_check_http = registry.PROTOCOLS["http"]


async def check_with_a_bug(spec: Any, net: Any) -> Any:
    """The real check, but for one path."""
    if "/bug" in reveal(spec.url):
        raise ZeroDivisionError(f"a bug in the check of {reveal(spec.url)}")
    return await _check_http(spec, net)


if __name__ == "__main__":
    registry.PROTOCOLS["http"] = check_with_a_bug
    main()
