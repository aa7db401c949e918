"""An example: one check of the demo, the target that it asks, and what it promises to show."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.demo.script import Target
from monitor.model.outcome import Reason, State


@dataclass(frozen=True)
class Example:
    """A check with its target.

    `states` are those it goes through once it has had results; `reason` is the word that it shows for the most
    telling of them, None if it never runs. `keys` are more lines for the check in checks.toml. Without a target
    `url` is given. `{proxied}` in `keys` stands for the address of the target, which then is the check's proxy.
    """

    name: str
    group: str
    states: tuple[State, ...]
    reason: Reason | None
    description: str
    target: Target | None = None
    keys: str = ""
    url: str = ""

    @property
    def host(self) -> str:
        """The name that its URL and its certificate are for."""
        return f"{self.name}.example.com"

    @property
    def telling(self) -> bool:
        """True if the example has a fault to explain."""
        return self.reason is not None and self.reason.outcome.value not in ("success", "inconclusive")
