"""Finds errors of [monitor.public] that depend on the checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from monitor.config.maintenance import unfitting
from monitor.keys.finding import Finding, has
from monitor.model.settings import PublicSpec
from monitor.model.spec import CheckSpec

Tree = dict[str, Any]


def unshown(tree: Tree, public: PublicSpec, checks: Sequence[CheckSpec]) -> Iterator[Finding]:
    """Yields findings for a public page that shows nothing, or less than intended; `tree` is [monitor] as written.

    Groups must be named: no page shows all of them by default.
    """
    if not public.enabled:
        return
    if not has(tree, ("public", "groups")):
        yield Finding(("public",), "`groups` is missing", 'name what is shown to everybody; ["*"] shows all checks')
    for finding in unfitting("groups", "group", public.groups, {check.group for check in checks}):
        yield finding.below(("public",))
