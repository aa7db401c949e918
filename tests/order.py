"""Which tests begin first and which are of one process: what takes long is not begun last, nor started by everybody."""

from __future__ import annotations

import pytest

LONG = (
    "tests/web/test_browser", "tests/web/test_tabs", "tests/proof/", "tests/history/", "tests/demo/", "tests/service/",
    "tests/project/test_packages", "tests/fuzz/", "tests/config/test_any_value", "tests/prometheus/",
)  # fmt: skip
"""Begin first, in this order; then come thousands that take milliseconds, so that no process is left to work alone."""

SHARED = {
    r"tests/web/test_(browser|tabs)": "one Chromium",
    r"tests/history/.*\[postgresql": "one PostgreSQL",
    r"tests/project/test_packages": "one wheel",
}
"""What the tests of a name share, by a pattern of their names."""


def rank(item: pytest.Item) -> int:
    """The place of a test among those that take long."""
    return next((n for n, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))
