"""Sets of time spans, in seconds: union, intersection, difference."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from math import inf

Span = tuple[float, float]
Spans = list[Span]


def union(spans: Iterable[Span]) -> Spans:
    """The spans sorted, without overlaps and without empty ones."""
    found: Spans = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def common(one: Iterable[Span], other: Iterable[Span]) -> Spans:
    """The intersection."""
    right = union(other)
    return union((max(a, c), min(b, d)) for a, b in union(one) for c, d in right)


def without(one: Iterable[Span], other: Iterable[Span]) -> Spans:
    """The difference."""
    left = union(one)
    for start, end in union(other):
        left = [piece for a, b in left for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]]
    return left


def length(spans: Iterable[Span]) -> float:
    """Total seconds."""
    return sum(end - start for start, end in union(spans))


def contains(spans: Spans, at: float) -> bool:
    """True if a time is within the spans of a union, ends included."""
    number = bisect_right(spans, (at, inf))
    return number > 0 and at <= spans[number - 1][1]
