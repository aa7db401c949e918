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
    left, right, found = union(one), union(other), []
    while left and right:
        found.append((max(left[-1][0], right[-1][0]), min(left[-1][1], right[-1][1])))
        (left if left[-1][0] > right[-1][0] else right).pop()
    return union(found)


def without(one: Iterable[Span], other: Iterable[Span]) -> Spans:
    """The difference."""
    edges = [-inf, *(edge for span in union(other) for edge in span), inf]
    return common(one, zip(edges[::2], edges[1::2], strict=True))


def length(spans: Iterable[Span]) -> float:
    """Total seconds."""
    return sum(end - start for start, end in union(spans))


def contains(spans: Spans, at: float) -> bool:
    """True if a time is within the spans of a union, ends included."""
    number = bisect_right(spans, (at, inf))
    return number > 0 and at <= spans[number - 1][1]
