"""Asks a running daemon over its API; what goes wrong is said in a sentence."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from msgspec import DecodeError, json

from monitor.model.errors import MonitorError
from monitor.model.settings import MonitorSpec

_PATIENCE = 30.0
"""Seconds; a report of a year takes one."""


class RequestFailed(MonitorError):
    """The daemon did not do what the command requested; the text says why."""


class Daemon(NamedTuple):
    """The address of a daemon, the token for it, and the file of the authority of its certificate."""

    url: str
    token: str | None = None
    ca_file: Path | None = None

    def get(self, path: str, query: list[tuple[str, str]] | None = None, accept: str = "application/json") -> bytes:
        """Returns the answer of a path below /api/v1."""
        asked = f"{path}?{urlencode(query)}" if query else path
        return self._ask("GET", asked, None, accept)

    def document(self, path: str, query: list[tuple[str, str]] | None = None) -> Any:
        """The same, as JSON."""
        return json.decode(self.get(path, query))

    def change(self, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
        """Change something; what it became, None if nothing is said."""
        answer = self._ask(method, path, None if document is None else json.encode(document), "application/json")
        return json.decode(answer) if answer else None

    def _ask(self, method: str, path: str, body: bytes | None, accept: str) -> bytes:
        headers = {"Accept": accept}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(f"{self.url}/api/v1{path}", body, headers, method=method)  # noqa: S310  http or https
        try:
            with urlopen(request, timeout=_PATIENCE, context=self._context()) as answer:  # noqa: S310
                found: bytes = answer.read()
                return found
        except HTTPError as error:
            raise RequestFailed(_refusal(self.url, error)) from None
        except (URLError, HTTPException, OSError) as error:
            raise RequestFailed(_silence(self.url, error)) from None

    def _context(self) -> ssl.SSLContext | None:
        if not self.url.startswith("https:"):
            return None
        return ssl.create_default_context(cafile=self.ca_file)


def _refusal(url: str, error: HTTPError) -> str:
    try:
        said = json.decode(error.read(), type=dict[str, Any]).get("error", "")
    except (DecodeError, OSError):
        said = ""
    if error.code == 401:
        return f"{url} wants a login: name a file with a token by --token-file, or set $MONITOR_TOKEN"
    if error.code == 404 and not said:
        return f"{url} is no monitor of this version"
    return str(said or f"{url} answers {error.code}")


def _silence(url: str, error: Exception) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, ssl.SSLError):
        return f"{url}: {reason.reason or reason}; name the authority of its certificate by --ca-file"
    why = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return f"no monitor answers at {url} ({str(why).lower()}); `monitor run` starts one, --url says where it is"


def place(monitor: MonitorSpec) -> str:
    """Returns the URL at which this machine reaches a daemon of this configuration."""
    host, port = monitor.listen
    if host in ("0.0.0.0", "", "*"):  # noqa: S104  only connected to
        host = "127.0.0.1"
    host = "::1" if host == "::" else host
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if monitor.tls else 'http'}://{shown}:{port or 0}"


def part(text: str) -> str:
    """A text as one part of a path."""
    return quote(text, safe="")
