"""The PEM files of a check are read, proved, and told apart by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from monitor.config import load
from monitor.model.errors import ConfigError
from monitor.model.route import FileRef, TlsSpec
from monitor.model.spec import CheckSpec
from tests.servers.chains import issue

Check = Callable[..., CheckSpec]
Problems = Callable[..., str]

PAIR = 'tls = { cert_file = "cert.pem", key_file = "key.pem" }'


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name in ("", "other-"):
        issued = authority.issue_cert("shop.example.com")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}cert.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}key.pem")
    return tmp_path


def test_files_are_known_by_path_and_digest(check: Check, pem: Path) -> None:
    tls = check('[checks.tls]\nca_file = "ca.pem"\ncert_file = "cert.pem"\nkey_file = "key.pem"').route.tls
    assert (tls.ca_file, tls.cert_file, tls.key_file) == tuple(
        FileRef(str(pem / name), hashlib.sha256((pem / name).read_bytes()).hexdigest())
        for name in ("ca.pem", "cert.pem", "key.pem")
    )


def test_a_changed_file_is_a_changed_check(check: Check, pem: Path) -> None:
    before = check(PAIR)
    assert check(PAIR) == before
    (pem / "cert.pem").write_bytes((pem / "cert.pem").read_bytes() + b"\n")
    assert check(PAIR) != before


def test_certificate_and_key_may_share_a_file(check: Check, pem: Path) -> None:
    (pem / "both.pem").write_bytes((pem / "cert.pem").read_bytes() + (pem / "key.pem").read_bytes())
    assert check('tls = { cert_file = "both.pem", key_file = "both.pem" }').route.tls.key_file is not None


def test_a_key_of_another_certificate_is_wrong(problems: Problems, pem: Path) -> None:
    (pem / "key.pem").write_bytes((pem / "other-key.pem").read_bytes())
    assert problems(PAIR) == "checks.shop.tls.key_file: the key does not belong to the certificate"


def test_an_encrypted_key_is_wrong_and_nobody_is_asked(problems: Problems, pem: Path) -> None:
    key = load_pem_private_key((pem / "key.pem").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (pem / "key.pem").write_bytes(locked)
    assert problems(PAIR).startswith("checks.shop.tls.key_file: the key is encrypted (")


@pytest.mark.parametrize("key", ["cert_file", "key_file"])
def test_one_without_the_other_is_wrong(problems: Problems, pem: Path, key: str) -> None:
    assert problems(f'tls.{key} = "{key.partition("_")[0]}.pem"').startswith(f"checks.shop.tls.{key}: a ")


def test_a_certificate_that_is_cut_off_is_wrong(problems: Problems, pem: Path) -> None:
    for name in ("ca.pem", "cert.pem"):
        (pem / name).write_bytes((pem / name).read_bytes()[:200])
    assert problems('tls.ca_file = "ca.pem"').startswith("checks.shop.tls.ca_file: no certificate can be loaded")
    assert problems(PAIR).startswith("checks.shop.tls.key_file: certificate and key cannot be loaded")


def test_a_path_may_be_secret(check: Check, problems: Problems, pem: Path) -> None:
    made = check('tls.ca_file = { env = "CA" }', environ={"CA": "ca.pem"})
    assert made.route.tls.ca_file is not None
    assert "ca.pem" in made.secrets
    assert "hunter2" not in problems('tls.ca_file = { env = "CA" }', environ={"CA": "hunter2.pem"})


def test_tls_may_be_set_for_http_because_a_redirect_may_lead_to_it(check: Check, pem: Path) -> None:
    assert check('url = "http://shop.example.com/"\ntls.ca_file = "ca.pem"').route.tls.ca_file is not None


@pytest.mark.parametrize(("days", "said"), [((-90, -60), "ended on"), ((60, 90), "begins on"), ((-1, 1), None)])
def test_client_certificate_out_of_date_is_a_problem_for_validate_alone(
    loading: Callable[..., object], tmp_path: Path, days: tuple[float, float], said: str | None
) -> None:
    client = issue("Client", days=days)
    (tmp_path / "both.pem").write_bytes(client.key_pem + client.pem)
    both = 'tls = { cert_file = "both.pem", key_file = "both.pem" }'
    loading(f'[[checks]]\nname = "shop"\nurl = "https://shop.example.com/"\n{both}')
    if said is None:
        load(tmp_path / "checks.toml", {}, strict=True)
        return
    with pytest.raises(ConfigError) as raised:
        load(tmp_path / "checks.toml", {}, strict=True)
    (problem,) = raised.value.problems
    assert (problem.line, problem.path) == (4, "checks.shop.tls.cert_file")
    assert f"the client certificate {said} 20" in problem.message


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('expiry_warning = "0s"', TlsSpec(expiry_warning=0.0)),
        ("expiry_warning = 0", TlsSpec(expiry_warning=0.0)),
        ('expiry_warning = "33%"', TlsSpec(expiry_warning=0.0, expiry_share=0.33)),
        ('expiry_warning = "2.5 %"', TlsSpec(expiry_warning=0.0, expiry_share=0.025)),
        ('max_version = "1.2"', TlsSpec(max_version="1.2")),
        ('ciphers = "ECDHE+AESGCM"', TlsSpec(ciphers="ECDHE+AESGCM")),
        ('ciphers = ""', TlsSpec()),
        ('server_name = "straße.test"', TlsSpec(server_name="straße.test")),
    ],
)
def test_keys_of_tls_arrive(check: Check, keys: str, expected: TlsSpec) -> None:
    assert check(f"[checks.tls]\n{keys}").route.tls == expected


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ('expiry_warning = "0%"', '"0%" is not a duration'),
        ('expiry_warning = "100%"', '"100%" is not a duration'),
        ("expiry_warning = -1", "-1 must be between 0 and 10000d"),
        ('ciphers = "NO-SUCH-CIPHER"', '"NO-SUCH-CIPHER" names no cipher suite that OpenSSL knows'),
        ('min_version = "1.3"\nmax_version = "1.2"', "`max_version` 1.2 is older than `min_version` 1.3"),
    ],
)
def test_wrong_keys_of_tls_are_said(problems: Problems, keys: str, said: str) -> None:
    assert said in problems(f"[checks.tls]\n{keys}")
