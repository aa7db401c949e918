"""From the text of checks.toml to frozen specs: every problem at once, each with its line, and no secret in any."""

from monitor.config.load import load, parse_check
from monitor.config.schema import schema

__all__ = ["load", "parse_check", "schema"]
