"""Finds the configuration: by options before and after a subcommand, the environment, or the default paths."""

from __future__ import annotations

import os
from pathlib import Path

import click

from monitor.model.errors import ConfigError, Problem

DEFAULT_CONFIG = "checks.toml"


def configuration_path(context: click.Context, config: str | None) -> Path:
    """The option after the subcommand, before it, the environment, the default."""
    named = config or context.obj or os.environ.get("MONITOR_CONFIG")
    path = Path(named or DEFAULT_CONFIG)
    if not named and not path.exists():
        advice = "name the configuration with -c FILE or $MONITOR_CONFIG"
        raise ConfigError([Problem(DEFAULT_CONFIG, 0, "", "there is no such file here", advice)])
    return path
