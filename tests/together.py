"""Which tests are of one process, for `pytest -n`: what they share is started once."""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

from tests.order import SHARED


class Together(LoadScopeScheduling):
    """Gives a process the cases of one function after the other, or all tests that share something."""

    def _split_scope(self, nodeid: str) -> str:
        shared = (what for pattern, what in SHARED.items() if re.match(pattern, nodeid))
        return next(shared, nodeid.partition("[")[0])
