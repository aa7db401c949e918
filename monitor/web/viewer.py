"""Describes the viewer of a page, as far as pages differ by viewer."""

from __future__ import annotations

from typing import NamedTuple


class Viewer(NamedTuple):
    """Rights of the viewer: to change something, and if not, whether a login could allow it."""

    writes: bool
    login: bool
