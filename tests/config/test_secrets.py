"""Secrets: found wherever a string may stand, held as secrets, shown nowhere, remembered for striking out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from monitor.config import parse_check
from monitor.config.models import CheckTable, MonitorTable
from monitor.keys.shape import Shape, shape_of
from monitor.model.errors import ConfigError
from monitor.model.request import BasicAuth
from monitor.model.settings import Configuration
from monitor.model.spec import CheckSpec
from monitor.secrets.secret import Secret

Check = Callable[..., CheckSpec]
Loading = Callable[..., Configuration]
Problems = Callable[..., str]


def places(shape: Shape, path: str) -> Iterator[str]:
    """Every key of the document, with made-up names where users choose them."""
    for key, inner in shape.keys.items():
        if inner.value and key != "name":
            yield f"{path}{key}"
        yield from places(inner, f"{path}{key}.")
    if shape.each is not None:
        for key in ('"$.a"', '"X-Any"'):
            yield f"{path}{key}"


@pytest.mark.parametrize("key", sorted(places(shape_of(CheckTable), "")))
def test_no_problem_with_a_secret_shows_it(loading: Loading, key: str) -> None:
    url = "" if key == "url" else 'url = "https://shop.example.com/"'
    for value in ("hunter2", "", "\x01hunter2 \\d(", "http://u:hunter2@h:99999/", "9999999hunter2s"):
        text = ""
        try:
            (check,) = loading(f'[[checks]]\nname = "a"\n{url}\n{key} = {{ env = "S" }}', {"S": value}).checks
            assert value in check.secrets
        except ConfigError as error:
            text = str(error)
        assert "hunter2" not in text


@pytest.mark.parametrize("key", sorted(places(shape_of(MonitorTable), "")))
def test_no_problem_with_a_secret_of_the_daemon_shows_it(loading: Loading, key: str) -> None:
    text = ""
    try:
        loading(f'[monitor]\n{key} = {{ env = "S" }}', {"S": "hunter2 "})
    except ConfigError as error:
        text = str(error)
    assert "hunter2" not in text


def test_a_key_that_the_user_names_env_or_file_is_no_secret(check: Check) -> None:
    made = check('labels = { env = "prod" }\nheaders = { file = "a" }\nform = { env = "b" }')
    assert made.labels == (("env", "prod"),)
    assert made.request.headers == (("file", "a"),)
    assert made.request.body is not None
    assert made.request.body.data == b"env=b"


def test_texts_for_the_page_hold_a_mask(check: Check) -> None:
    made = check(
        'group = { env = "TOKEN" }\ndescription = { env = "TOKEN" }\nlabels.a = { env = "TOKEN" }\n'
        'runbook = { env = "LINK" }',
        environ={"TOKEN": "t", "LINK": "https://wiki.example.com/"},
    )
    assert (made.group, made.description, made.runbook, made.labels) == ("***", "***", "***", (("a", "***"),))


def test_a_secret_url_stays_secret_without_its_userinfo(check: Check) -> None:
    made = check('url = { env = "URL" }', environ={"URL": "https://u:p%41@shop.example.com/x"})
    assert made.url == Secret("https://shop.example.com/x")
    assert made.target == "***"
    assert made.request.auth == BasicAuth(Secret("u"), Secret("pA"))
    assert {"u", "p%41", "pA", "shop.example.com", "https://u:p%41@shop.example.com/x"} <= made.secrets


def test_a_secret_may_be_a_duration_a_size_a_status_or_an_operand(check: Check) -> None:
    made = check(
        'interval = { env = "D" }\nmax_body = { env = "Z" }\nip_version = { env = "V" }\n'
        'expect.status = [{ env = "S" }]\nexpect.body.matches = { env = "P" }',
        environ={"D": "20s", "Z": "2kB", "S": "5xx", "P": "a+", "V": "6"},
    )
    assert (made.interval, made.request.max_body, made.route.ip_version) == (20.0, 2000, 6)
    assert made.request.expect.status == ((500, 599),)
    assert made.request.expect.body[0].operand == Secret("a+")
    assert {"20s", "2kB", "5xx", "a+", "6"} <= made.secrets


def test_inherited_secrets_are_remembered_by_the_check(check: Check) -> None:
    assert "hunter2-token" in check("", 'headers.X-Any = { env = "TOKEN" }').secrets


def test_credentials_that_are_written_out_are_remembered(check: Check) -> None:
    made = check(
        'url = "https://shop.example.com/?key=in-query"\n'
        'proxy = "http://pu:pp@proxy.example.com"\n'
        'auth.basic = { username = "user", password = "pass" }\n'
        "[checks.headers]\n"
        'Proxy-Authorization = "Basic cHU6cHA="\nCookie = "sid=cookie-1; b=cookie-2"\nX-Api-Key = "key"\n'
        'X-Session-Token = "token"\nAccept = "text/html"'
    )
    basic = base64.b64encode(b"user:pass").decode()
    expected = {
        "in-query",
        "pu",
        "pp",
        "pass",
        basic,
        "Basic cHU6cHA=",
        "cHU6cHA=",
        "cookie-1",
        "cookie-2",
        "key",
        "token",
    }
    assert expected <= made.secrets
    assert "text/html" not in made.secrets


def test_a_bearer_header_is_remembered_with_and_without_its_scheme(check: Check) -> None:
    assert {"Bearer abc", "abc"} <= check('headers.Authorization = "Bearer abc"').secrets


def test_the_line_end_of_a_secret_file_is_not_part_of_it(check: Check, tmp_path: Path) -> None:
    (tmp_path / "token").write_bytes(b" hunter2 \r\n\n")
    assert check('headers.X-A = { file = "token" }').request.headers == (("X-A", Secret(" hunter2 ")),)


def test_percent_d_is_the_directory_of_systemds_credentials(check: Check, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter2")
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert check('headers.X-A = { file = "%d/token" }', environ=environ).request.headers == (
        ("X-A", Secret("hunter2")),
    )


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "is empty"), (b"\n", "is empty"), (b"\xff", "is not UTF-8 text")]
)
def test_a_file_without_a_text_is_a_problem(problems: Problems, tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "token").write_bytes(content)
    assert problems('headers.X-A = { file = "token" }') == f'checks.shop.headers.X-A: the file "token" {message}'


def test_a_variable_that_is_not_text_is_a_problem(problems: Problems) -> None:
    assert "is not UTF-8 text" in problems('body = { env = "S" }', environ={"S": "\udcff"})


def test_one_missing_secret_of_defaults_is_one_problem(loading: Loading) -> None:
    checks = "".join(f'[[checks]]\nname = "c{i}"\nurl = "https://a.example.com/"\n' for i in range(3))
    with pytest.raises(ConfigError) as caught:
        loading(f'[defaults]\nproxy = {{ env = "MISSING" }}\n{checks}')
    assert len(caught.value.problems) == 1


def test_a_check_from_options_needs_only_a_url() -> None:
    made = parse_check({"url": "http://u:p@shop.example.com/", "timeout": {"total": "1m"}}, "command line")
    assert (made.name, made.target) == ("probe", "http://***@shop.example.com/")
    assert made.interval >= made.limits.total == 60.0


def test_problems_with_options_read_well_without_a_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_check({"url": "shop", "timeout": {"total": "soon"}}, "command line")
    assert str(caught.value) == (
        "command line: url: must begin with http://, https://, tcp:// or tls://\n"
        'command line: timeout.total: "soon" is not a duration (write "250ms", "10s" or "1m30s")'
    )


@pytest.mark.parametrize("key", ["checks", "groups"])
def test_a_secret_where_none_belongs_is_not_shown_either(loading: Loading, key: str) -> None:
    work = (
        f'[[maintenance]]\nname = "w"\nstarts = 2026-12-01T22:00:00Z\nduration = "1h"\n{key} = [{{ env = "TOKEN" }}]\n'
    )
    with pytest.raises(ConfigError) as caught:
        loading('[[checks]]\nname = "a"\nurl = "http://a.example.com/"\n' + work)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("written", [r"\u007f", r"\u001b[2J", r"\u202e", r"\u200b"])
def test_what_is_hidden_in_a_value_is_visible_in_its_problem(loading: Loading, written: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loading(f'[[checks]]\nname = "a"\nurl = "http://a.example.com/"\nmethod = "G{written}"\n"k{written}" = 1')
    assert str(caught.value).replace("\n", "").isprintable()
