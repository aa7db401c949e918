"""The headers and credentials of an http module of blackbox_exporter; their files are relative to its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from monitor.migrate import handlers
from monitor.migrate.credentials import Credential, Credentials, already
from monitor.migrate.draft import Draft, FileContent
from monitor.migrate.handlers import Handler
from monitor.migrate.source import Item

_TLS_VERSIONS = {"TLS10": "1.0", "TLS11": "1.1", "TLS12": "1.2", "TLS13": "1.3"}
_INLINE = handlers.paused("write it into a file, and name that as tls.ca_file, tls.cert_file or tls.key_file")


def _version(draft: Draft, item: Item) -> None:
    """min_version, max_version."""
    key = item.path.rpartition(".")[2]
    draft.table("tls")[key] = _TLS_VERSIONS.get(item.text(), item.text())
    draft.places["tls", key] = item.place


@dataclass(frozen=True, slots=True)
class Login:
    """Reads them."""

    directory: Path
    credentials: Credentials

    def headers(self) -> dict[str, Handler]:
        """Returns the handlers that run before all others, as their keys take precedence."""
        return {"headers": self._headers, "http_headers": self._http_headers}

    def handlers(self) -> dict[str, Handler]:
        """Everything else that holds secrets or names files."""
        return {
            "body": lambda draft, item: self.credentials.body(draft, item.place, item.text()),
            "body_file": lambda draft, item: draft.keys.update(body=self._file(draft, item.text(), "body")),
            "proxy_url": lambda draft, item: self.credentials.proxy(draft, item.place, item.text()),
            "basic_auth": self._basic,
            "bearer_token": lambda draft, item: self.credentials.bearer(draft, item.place, item.text()),
            "bearer_token_file": self._bearer_file,
            "authorization": self._authorization,
            "tls_config": lambda draft, item: handlers.apply(draft, item, self._tls()),
        }

    def _tls(self) -> dict[str, Handler]:
        return {
            "insecure_skip_verify": handlers.opposite("tls", "verify"),
            **{key: handlers.file(self.directory, "tls", key) for key in ("ca_file", "cert_file", "key_file")},
            **dict.fromkeys(("ca", "cert", "key"), _INLINE),
            "server_name": handlers.text("tls", "server_name"),
            "min_version": _version,
            "max_version": _version,
        }

    def _file(self, draft: Draft, path: str, what: str) -> FileContent:
        return self.credentials.file(draft, Path(self.directory, path).absolute(), what)

    def _headers(self, draft: Draft, item: Item) -> None:
        for name, value in item.entries().items():
            self.credentials.header(draft, value.place, name, value.text())

    def _http_headers(self, draft: Draft, item: Item) -> None:
        """Takes the value that blackbox_exporter sends: the last one of values, then secrets, then files."""
        for name, given in item.entries().items():
            kinds = [kind for kind in handlers.values(draft, given, "values", "secrets", "files") if kind]
            found = [kind for kind in kinds if kind.texts()]
            if sum(len(kind.texts()) for kind in found) > 1:
                draft.lost(given.place, f"{given.path}: of several values the last is sent, as by the exporter")
            if found:
                self._http_header(draft, name, found[-1])

    def _http_header(self, draft: Draft, name: str, kind: Item) -> None:
        value, which = kind.texts()[-1], kind.path.rpartition(".")[2]
        if which == "values" or (which == "secrets" and name.lower() == "authorization"):
            self.credentials.header(draft, kind.place, name, value)
        elif which == "files":
            draft.table("headers")[name] = self._file(draft, value, name)
        else:
            meaning = f"the value of the header {name}"
            made = self.credentials.variable(draft, kind.place, name, value, meaning)
            draft.table("headers")[name] = made

    def _basic(self, draft: Draft, item: Item) -> None:
        name, password, name_file, password_file = handlers.values(
            draft, item, "username", "password", "username_file", "password_file"
        )
        username, secret = name.text() if name else "", password.text() if password else ""
        if not name_file and not password_file:
            self.credentials.basic(draft, item.place, username, secret)
        elif not already(draft, item.place):
            pair: dict[str, Credential] = {"username": username, "password": ""}
            if name_file:
                pair["username"] = self._file(draft, name_file.text(), "username")
            if password_file:
                pair["password"] = self._file(draft, password_file.text(), "password")
            elif password:
                pair["password"] = self.credentials.variable(draft, password.place, "password", secret, "the password")
            draft.keys["auth"] = {"basic": pair}

    def _bearer_file(self, draft: Draft, item: Item) -> None:
        if not already(draft, item.place):
            draft.keys["auth"] = {"bearer": self._file(draft, item.text(), "token")}

    def _authorization(self, draft: Draft, item: Item) -> None:
        scheme, token, file = handlers.values(draft, item, "type", "credentials", "credentials_file")
        word = scheme.text() if scheme else "Bearer"
        if file and word.lower() == "bearer":
            self._bearer_file(draft, file)
        elif file:
            draft.pause(file.place, f"{item.path}: {word} with credentials from a file cannot be put together here")
        elif token:
            self.credentials.header(draft, token.place, "Authorization", f"{word} {token.text()}")
