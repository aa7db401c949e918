"""Every file in bad/ is refused with exactly the problems in the .expected file beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.config import load
from monitor.model.errors import ConfigError

BAD = sorted((Path(__file__).parent / "bad").glob("*.toml"))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_refused_with_all_its_problems(path: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    assert str(caught.value).replace(f"{path}:", f"{path.name}:") + "\n" == path.with_suffix(".expected").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_no_problem_shows_a_secret_or_a_name_of_ours(path: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    names = r"hunter2|pydantic|Error|Table|Secret\(|function|NoneType|\b(?:dict|str|int|float|bool|tuple|list)\b"
    assert re.findall(names, str(caught.value)) == []


def test_a_missing_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: cannot be read: there is no such file"


def test_a_directory_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read: it is a directory$"):
        load(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.touch(mode=0)
    with pytest.raises(ConfigError, match=r"cannot be read: permission denied$"):
        load(path)


def test_a_path_that_cannot_be_is_said_in_a_sentence() -> None:
    with pytest.raises(ConfigError, match="the path is not valid"):
        load("checks\0.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "the values are nested too deeply"),
        ("a = " + "9" * 5000, "there is a number with too many digits"),
        ("a = 2026-13-01", "not valid TOML"),
        ("\x00", "not valid TOML"),
    ],
    ids=["depth", "digits", "date", "nul"],
)
def test_what_breaks_the_parser_is_a_problem_too(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(path)
