"""Whatever stands behind a key, it is read or refused with a sentence; nothing else happens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from monitor.config.models import CheckTable, MaintenanceTable, MonitorTable
from monitor.keys.shape import Shape, shape_of
from monitor.model.errors import ConfigError
from monitor.model.settings import Configuration

VALUES = (
    *('""', '"x"', '"é\\u0000"', "0", "-1", "99999999999999999999", "1.5", "nan", "-inf", "true"),
    *("2026-01-31", "12:00:00", "2026-01-31T00:00:00Z", "[]", "[[]]", "[1]", '["x", {}]', "[{ env = 1 }]"),
    *(
        "{}",
        '{ "" = {} }',
        "{ x = { y = [1] } }",
        "{ env = [] }",
        '{ env = "" }',
        '{ file = "\\u0000" }',
        '{ equals = "x" }',
    ),
)

KINDS = ('"x"', "-1", "true", "[1]", "{}", '{ env = "" }')
"""A value of each kind, where only the kind matters."""


def keys(shape: Shape, path: str) -> Iterator[str]:
    for key, inner in shape.keys.items():
        yield f"{path}{key}"
        yield from keys(inner, f"{path}{key}.")
    if shape.each is not None:
        yield from (f"{path}{key}" for key in ('"$.a"', "X-Any", '""'))
        yield from keys(shape.each, f'{path}"$.a".')  # what tables by any name there are is read by one reader


@pytest.mark.parametrize("key", [f"monitor.{k}" for k in keys(shape_of(MonitorTable), "")] + ["monitor", "defaults"])
def test_behind_a_key_of_the_daemon(loading: Callable[..., Configuration], key: str) -> None:
    for value in VALUES:
        with contextlib.suppress(ConfigError):
            loading(f"{key} = {value}")


@pytest.mark.parametrize("key", list(keys(shape_of(CheckTable), "")))
def test_behind_a_key_of_a_check_or_of_the_defaults(loading: Callable[..., Configuration], key: str) -> None:
    check = '[[checks]]\nname = "a"\nurl = "http://a.example.com/"\n'
    for value in VALUES:
        for text in (f"[[checks]]\n{key} = {value}", f"[defaults]\n{key} = {value}\n{check}"):
            with contextlib.suppress(ConfigError):
                loading(text)
    top = key.partition(".")[0]
    for value in KINDS:
        with contextlib.suppress(ConfigError):  # one of them a table, the other perhaps not
            loading(f'[defaults]\n{top} = {value}\n[[checks]]\n{key} = "x"')


@pytest.mark.parametrize("key", list(keys(shape_of(MaintenanceTable), "")))
def test_behind_a_key_of_maintenance(loading: Callable[..., Configuration], key: str) -> None:
    ways = ("", "starts = 2026-12-01T22:00:00Z", 'weekly = "sat"\nat = "02:00"', 'cron = "0 0 * * *"')
    for value in (*VALUES, '"* * * * *"', '"a-b * 1/0 */99 0-7,8"', '"../../etc/passwd"', "0001-01-01T00:00:00"):
        for way in ways:
            with contextlib.suppress(ConfigError):
                loading(f'[[maintenance]]\nname = "a"\nduration = "1h"\n{way}\n{key} = {value}')
