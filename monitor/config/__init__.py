"""Parses checks.toml into immutable specs: reports all problems at once, each with its line, and no secrets."""

from monitor.config.load import load, parse_check
from monitor.config.schema import schema

__all__ = ["load", "parse_check", "schema"]
