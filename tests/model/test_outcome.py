"""The words that users, rules and dashboards rely on: changing one breaks them."""

from __future__ import annotations

import pytest

from monitor.model.outcome import FAILURES, Outcome, Reason, State
from monitor.model.result import PHASE_NAMES, Result

WORDS = {
    "success": "ok",
    "http_error": "unexpected_status unexpected_header unexpected_body unexpected_http_version body_too_large "
    "invalid_content too_many_redirects forbidden_redirect",
    "connection_error": "dns_not_found dns_failed refused unreachable reset disconnected invalid_response proxy_failed "
    "tls_certificate_expired tls_certificate_not_yet_valid tls_hostname_mismatch tls_untrusted tls_handshake_failed "
    "alpn_refused address_denied",
    "timeout": "dns_timeout connect_timeout tls_timeout response_timeout read_timeout total_timeout",
    "unexpected_answer": "unexpected_data unexpected_certificate",
    "inconclusive": "monitor_stalled monitor_overloaded monitor_offline local_resources cancelled internal_error",
}


def test_outcomes_are_these_words() -> None:
    assert [o.value for o in Outcome] == list(WORDS)


@pytest.mark.parametrize("outcome", Outcome)
def test_reasons_of_an_outcome_are_these_words(outcome: Outcome) -> None:
    assert [r.value for r in Reason if r.outcome is outcome] == WORDS[outcome].split()


def test_states_and_phases_are_these_words() -> None:
    assert {s.value for s in State} == {"up", "degraded", "down", "unknown", "paused", "maintenance"}
    assert PHASE_NAMES == ("resolve", "connect", "tls", "processing", "transfer")


def test_only_four_outcomes_count_against_the_target() -> None:
    for reason in Reason:
        result = Result("c", 0.0, reason, "")
        assert result.failed is (reason.outcome in FAILURES)
        assert result.conclusive is (reason.outcome is not Outcome.INCONCLUSIVE)
