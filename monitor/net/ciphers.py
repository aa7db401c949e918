"""Names of cipher suites: OpenSSL has its own, everybody else those of IANA's registry."""

from __future__ import annotations

import functools
import re

_EXCHANGES = {
    "ECDHE-ECDSA-": "ECDHE_ECDSA",
    "ECDHE-RSA-": "ECDHE_RSA",
    "ECDHE-PSK-": "ECDHE_PSK",
    "DHE-RSA-": "DHE_RSA",
    "DHE-DSS-": "DHE_DSS",
    "DHE-PSK-": "DHE_PSK",
    "RSA-PSK-": "RSA_PSK",
    "PSK-": "PSK",
    "AECDH-": "ECDH_anon",
    "ADH-": "DH_anon",
    "SRP-RSA-": "SRP_SHA_RSA",
    "SRP-DSS-": "SRP_SHA_DSS",
    "SRP-": "SRP_SHA",
}
_BLOCK = re.compile(r"(AES|ARIA|CAMELLIA)-?(128|256)-(?:(GCM|CBC)-)?(SHA\d*)")
_CCM = re.compile(r"AES(128|256)-CCM(8?)")


@functools.lru_cache
def standard_name(name: str) -> str:
    """«TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256» of «ECDHE-RSA-AES128-GCM-SHA256»; those of TLS 1.3 are the same."""
    if name.startswith("TLS_"):
        return name
    name = name.replace("ECDHE-ARIA", "ECDHE-RSA-ARIA")
    for prefix, exchange in _EXCHANGES.items():
        if name.startswith(prefix):
            return f"TLS_{exchange}_WITH_{_rest(name.removeprefix(prefix))}"
    return f"TLS_RSA_WITH_{_rest(name)}"


def _rest(name: str) -> str:
    if block := _BLOCK.fullmatch(name):
        cipher, bits, mode, digest = block.groups()
        return f"{cipher}_{bits}_{mode or 'CBC'}_{digest}"
    if ccm := _CCM.fullmatch(name):
        return f"AES_{ccm[1]}_CCM{'_8' if ccm[2] else ''}"
    if name == "CHACHA20-POLY1305":
        return "CHACHA20_POLY1305_SHA256"
    return name.replace("DES-CBC3", "3DES_EDE_CBC").replace("-", "_")
