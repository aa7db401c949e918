"""Settings of the history: its location, and how long it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class HistorySpec:
    """Location and extent of the history: stretches and incidents in seconds, results of a check by number.

    `location` is an URL, `sqlite:///…` or `postgresql://…`; empty for the default place.
    """

    enabled: bool = True
    location: str = field(default="", repr=False)
    minutes: float = 86400.0
    hours: float = 90 * 86400.0
    days: float = 1095 * 86400.0
    incidents: float = 1095 * 86400.0
    results: int = 100
    failures: int = 500

    @property
    def secrets(self) -> set[str]:
        """Every text to strike from what is shown."""
        userinfo, at, _ = self.location.partition("://")[2].rpartition("@")
        password = userinfo.partition(":")[2] if at else ""
        pairs = [pair.partition("=")[::2] for pair in self.location.partition("?")[2].split("&")]
        texts = (password, *(value for key, value in pairs if key in _SECRET))
        return {form for text in texts for form in (text, unquote(text)) if form}


_SECRET = ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
"""Parameters of libpq whose values are secrets."""
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile")


def libpq_parameters(location: str) -> dict[str, Any]:
    """Parses a URL with libpq; raises ValueError, in a sentence without secrets."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return conninfo_to_dict(location)
    except psycopg.ProgrammingError as refused:
        raise ValueError(_said(refused)) from None


def libpq_problem(location: str) -> str | None:
    """Finds what libpq refuses in the URL of a PostgreSQL database, without a connection; None if nothing."""
    import psycopg

    try:
        found = libpq_parameters(location)
        missing = [key for key in _FILES if key in found and found[key] != "system" and not Path(found[key]).is_file()]
        if missing:
            return f"{missing[0]}: there is no such file"
        hosts = str(found.pop("hostaddr", None) or found.pop("host", None) or "").count(",") + 1
        nowhere = ",".join(["/nonexistent"] * hosts)  # libpq judges every value before it connects
        psycopg.connect(**{**found, "host": nowhere, "connect_timeout": found.get("connect_timeout", "1")}).close()
    except ValueError as unreadable:
        return str(unreadable)
    except psycopg.ProgrammingError as refused:
        return _said(refused)
    except psycopg.OperationalError as failed:
        said = str(failed)
        return None if "/nonexistent" in said else _said(failed)
    return None


def _said(error: Exception) -> str:
    """A sentence of libpq's; what it quotes may be a secret, unless it is the name or the choice of a parameter."""
    words, colon, quoted = str(error).splitlines()[0].removeprefix("connection is bad: ").partition(': "')
    return words + colon + quoted if re.fullmatch(r"invalid (URI query parameter|\w+ value)", words) else words


DEFAULT_HISTORY = HistorySpec()
"""The settings of a configuration without a table for the history."""
