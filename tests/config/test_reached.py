"""`external_url` and `allowed_hosts`: read as browsers say them, and refused where they cannot be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import load
from monitor.model.errors import ConfigError
from monitor.model.settings import MonitorSpec


def monitor(folder: Path, line: str) -> MonitorSpec:
    path = folder / "checks.toml"
    path.write_text(f"[monitor]\n{line}\n")
    return load(path).monitor


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", ""),
        ("https://ops.example.com", "https://ops.example.com"),
        ("HTTPS://Ops.Example.com:443/", "https://ops.example.com"),
        ("http://ops.example.com:8443/monitor/", "http://ops.example.com:8443/monitor"),
        ("http://ops.example.com/a/b-c_d.e~f", "http://ops.example.com/a/b-c_d.e~f"),
        ("https://bücher.example/monitor", "https://xn--bcher-kva.example/monitor"),
        ("http://[2001:DB8::1]:80/m", "http://[2001:db8::1]/m"),
    ],
)
def test_an_address_is_read_as_browsers_say_it(tmp_path: Path, written: str, read: str) -> None:
    assert monitor(tmp_path, f'external_url = "{written}"').external_url == read


@pytest.mark.parametrize(
    "written",
    [
        "ops.example.com",
        "ftp://ops.example.com/",
        "https:///monitor",
        "https://u:p@ops.example.com/",
        "https://ops.example.com/?q",
        "https://ops.example.com/#f",
        "https://ops.example.com/a//b",
        "https://ops.example.com/../b",
        "https://ops.example.com/a%20b",
        "https://ops.example.com:99999/",
    ],
)
def test_an_address_that_cannot_be_a_prefix_is_refused(tmp_path: Path, written: str) -> None:
    with pytest.raises(ConfigError, match="external_url"):
        monitor(tmp_path, f'external_url = "{written}"')


def test_names_are_read_as_browsers_say_them(tmp_path: Path) -> None:
    spec = monitor(tmp_path, 'allowed_hosts = ["Monitor.Internal.", "bücher.example", "[2001:DB8::1]"]')
    assert spec.allowed_hosts == ("monitor.internal", "xn--bcher-kva.example", "2001:db8::1")


@pytest.mark.parametrize("name", ["", "https://a.example", "a.example:80", "*.a.example", "10.0.0.0/8", "a b"])
def test_what_is_no_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="allowed_hosts"):
        monitor(tmp_path, f'allowed_hosts = ["{name}"]')
