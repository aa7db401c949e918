"""Who looks at a page, as far as pages differ by it."""

from __future__ import annotations

from typing import NamedTuple


class Viewer(NamedTuple):
    """Whether the reader may change something, and else whether a login could allow it."""

    writes: bool
    login: bool
