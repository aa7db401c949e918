"""Checks, results and moments that the unit tests make, and the hypothesis strategies for them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from monitor.model.clock import Moment
from monitor.model.outcome import Outcome, Reason
from monitor.model.result import Certificate, Result
from monitor.model.route import TlsSpec
from monitor.model.spec import CheckSpec, Limits
from tests.flat import flat_result, flat_spec

EPOCH = 1_700_000_000.0
"""Wall time at steady time 0, unless somebody sets the clock."""
INTERVAL = 10.0
SUCCESSES = [r for r in Reason if r.outcome is Outcome.SUCCESS]
FAILURES = [r for r in Reason if r.outcome not in (Outcome.SUCCESS, Outcome.INCONCLUSIVE)]
INCONCLUSIVE = [r for r in Reason if r.outcome is Outcome.INCONCLUSIVE]


def at(steady: float, stepped: float = 0.0) -> Moment:
    """A moment, so many seconds after the beginning, with the wall clock stepped by so much."""
    return Moment(EPOCH + steady + stepped, steady)


def spec(**over: Any) -> CheckSpec:
    """A check."""
    fields: dict[str, Any] = {
        "name": "c",
        "url": "http://192.0.2.1/",
        "target": "http://192.0.2.1/",
        "interval": INTERVAL,
        "limits": Limits(1, 1, 3),
        **over,
    }
    return flat_spec(**fields)


def result(reason: Reason = Reason.OK, duration: float | None = 0.1, **over: Any) -> Result:
    """A result."""
    return flat_result("c", EPOCH, reason, f"found {reason.value}", duration=duration, **over)


def certificate(ends: float) -> Certificate:
    """A certificate that ends at this wall time."""
    return Certificate(EPOCH - 1000, ends, "CN=leaf", "CN=authority")


reasons = st.one_of(st.sampled_from(SUCCESSES), st.sampled_from(FAILURES), st.sampled_from(INCONCLUSIVE))
"""Each class of result as often as the others."""

results = st.builds(
    result, reasons, st.sampled_from([0.05, 2.0]), certificates=st.sampled_from([(), (certificate(EPOCH + 86400.0),)])
)

specs = st.builds(
    spec,
    down_after=st.integers(1, 4),
    up_after=st.integers(1, 4),
    degraded_after=st.integers(1, 3),
    interval=st.sampled_from([1.0, 10.0, 60.0]),
    latency=st.sampled_from([None, 1.0]),
    tls=st.sampled_from([TlsSpec(), TlsSpec(expiry_warning=0.0)]),
)

steps = st.lists(st.tuples(results, st.sampled_from([0.1, 1.0, 10.0, 31.0, 200.0])), max_size=40)
"""Results, each with the seconds since the one before."""
