"""A place for configurations, and the environment that they take secrets from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from monitor.config import load
from monitor.model.errors import ConfigError
from monitor.model.settings import Configuration
from monitor.model.spec import CheckSpec

HERE = Path(__file__).parent

ENVIRON = {
    "TOKEN": "hunter2-token",
    "INTERVAL": "abc-hunter2",
    "PATTERN": "(hunter2",
    "BROKEN_LINE": "hunter2\nx",
    "EMPTY": "",
}

Loading = Callable[..., Configuration]


@pytest.fixture
def environ() -> Mapping[str, str]:
    return ENVIRON


@pytest.fixture
def loading(tmp_path: Path) -> Loading:
    """Load a configuration from its text."""

    def load_text(text: str, environ: Mapping[str, str] = ENVIRON) -> Configuration:
        path = tmp_path / "checks.toml"
        path.unlink(missing_ok=True)  # ext4 writes a file that is cut to nothing and written anew to the disk at once
        path.write_text(dedent(text), "utf-8")
        return load(path, environ)

    return load_text


@pytest.fixture
def check(loading: Loading) -> Callable[..., CheckSpec]:
    """Load one check from its keys, with [defaults] or without."""

    def load_check(keys: str = "", defaults: str = "", environ: Mapping[str, str] = ENVIRON) -> CheckSpec:
        url = "" if keys.lstrip().startswith("url") or "\nurl" in keys else 'url = "https://shop.example.com/"'
        text = f'[defaults]\n{dedent(defaults)}\n[[checks]]\nname = "shop"\n{url}\n{dedent(keys)}'
        return loading(text, environ).checks[0]

    return load_check


@pytest.fixture
def problems(check: Callable[..., CheckSpec]) -> Callable[..., str]:
    """What is wrong with one check, as text without file and lines."""

    def say(keys: str = "", defaults: str = "", environ: Mapping[str, str] = ENVIRON) -> str:
        with pytest.raises(ConfigError) as caught:
            check(keys, defaults, environ)
        return "\n".join(str(problem).partition(": ")[2] for problem in caught.value.problems)

    return say
