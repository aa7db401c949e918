"""Damage: parts of a good input replaced by pieces that mean something to its reader."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, settings

LONGER = int(os.environ.get("FUZZ", "1"))
"""How many times the usual number of examples to try; other ones in each run if it is more than one."""


def bounded(examples: int) -> settings:
    """So many examples, the same in each run unless `FUZZ=20` asks for more; a failing one is made small."""
    return settings(
        max_examples=examples * LONGER, derandomize=LONGER == 1, database=None, deadline=None, print_blob=True,
        phases=[Phase.explicit, Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip


@dataclass(frozen=True)
class Damage:
    """Puts pieces in the place of so many bytes, each at a share of the length."""

    changes: tuple[tuple[float, int, bytes], ...]

    def to(self, content: bytes) -> bytes:
        """The content, damaged."""
        for where, length, piece in self.changes:
            start = int(where * len(content))
            content = content[:start] + piece + content[start + length :]
        return content

    def in_place(self, content: bytes) -> bytes:
        """The content, damaged, of its old length: what counts bytes reads on to where the damage is."""
        for where, _, piece in self.changes:
            start = int(where * len(content))
            content = (content[:start] + piece + content[start + len(piece) :])[: len(content)]
        return content


def damages(pieces: Sequence[bytes], most: int = 4) -> st.SearchStrategy[Damage]:
    """Up to so many changes, made of these pieces and of random bytes."""
    piece = st.sampled_from(list(pieces)) | st.binary(max_size=8)
    change = st.tuples(st.floats(0, 1), st.sampled_from([0, 0, 1, 2, 5, 20, 100]), piece)
    return st.lists(change, max_size=most).map(lambda changes: Damage(tuple(changes)))


def slips() -> st.SearchStrategy[Damage]:
    """One to three bytes that became others; the length stays, and most of what is around them can still be read."""
    change = st.tuples(st.floats(0, 0.999), st.just(1), st.binary(min_size=1, max_size=1))
    return st.lists(change, min_size=1, max_size=3).map(lambda changes: Damage(tuple(changes)))
