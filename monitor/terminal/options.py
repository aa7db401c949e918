"""The options of `monitor probe`; each is named for the key of checks.toml that it stands for, `a__b` for `a.b`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Decorator = Callable[[_Command], _Command]


def probe_options(command: _Command) -> _Command:
    """All of them, listed by --help in this order."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def flags_of(path: str, command: click.Command) -> str:
    """Returns the options for a key: `--connect-timeout` for `timeout.connect`, `--user/--bearer` for `auth`."""
    path = path.partition("[")[0]
    named = [(param.name or "").replace("__", ".") for param in command.params]
    flags = list(map(_flag, command.params))
    for key in dict.fromkeys(named):
        if path == key or path.startswith(f"{key}."):
            own = "/".join(flag for name, flag in zip(named, flags, strict=True) if name == key)
            return f"{own} {path[len(key) + 1 :]}".rstrip()
    return "/".join(flag for name, flag in zip(named, flags, strict=True) if name.startswith(f"{path}.")) or path


def _flag(param: click.Parameter) -> str:
    return max(param.opts, key=len) if isinstance(param, click.Option) else (param.name or "").upper()


def with_suggestion(message: str, suggestion: str | None) -> str:
    """«message (suggestion)», as `monitor validate` says it."""
    return f"{message} ({suggestion})" if suggestion else message


def _value(*flags: str, metavar: str, text: str) -> _Decorator[Any]:
    return click.option(*flags, metavar=metavar, help=text)


def _values(*flags: str, metavar: str, text: str) -> _Decorator[Any]:
    return click.option(*flags, metavar=metavar, help=f"{text} May be repeated.", multiple=True)


def _constant(*flags: str, value: Any, text: str) -> _Decorator[Any]:
    return click.option(*flags, flag_value=value, type=type(value), default=None, help=text)


_OPTIONS = (
    _value("-X", "--request", "method", metavar="METHOD", text="GET, or POST with a body, unless given."),
    _values("-H", "--header", "headers", metavar="'NAME: VALUE'", text="Send this header."),
    _value("-d", "--data", "body", metavar="TEXT", text="Send this body."),
    _value("--json-body", "json", metavar="JSON", text="Send this JSON, and say that it is."),
    _value("-u", "--user", "auth__basic", metavar="USER:PASSWORD", text="Basic authentication."),
    _value("--bearer", "auth__bearer", metavar="TOKEN", text="Bearer authentication."),
    _value("--timeout", "timeout__total", metavar="S", text="For all of it, redirects included; 15 s."),
    _value("--connect-timeout", "timeout__connect", metavar="S", text="For name, TCP, proxy and TLS; 5 s."),
    _value("--read-timeout", "timeout__read", metavar="S", text="For a silence of the server; 10 s."),
    _values("--expect-status", "expect__status", metavar="STATUS", text="301, 2xx or 400-404; 200-399 unless given."),
    _value("--expect-body", "expect__body__contains", metavar="TEXT", text="The body has to contain this."),
    _constant("--no-follow", "follow_redirects", value=False, text="Take a redirect as the answer."),
    _value("--max-redirects", "max_redirects", metavar="N", text="10 unless given."),
    _constant("-k", "--insecure", "tls__verify", value=False, text="Accept any certificate."),
    _value("--cacert", "tls__ca_file", metavar="FILE", text="Trust these authorities instead, PEM."),
    _value("--cert", "tls__cert_file", metavar="FILE", text="Client certificate, PEM."),
    _value("--key", "tls__key_file", metavar="FILE", text="Its key, if that is in another file."),
    _value("--server-name", "tls__server_name", metavar="NAME", text="Name for SNI and the certificate."),
    _value("--min-tls", "tls__min_version", metavar="VERSION", text="Oldest TLS version: 1.0, 1.1, 1.2 or 1.3."),
    _value("--max-tls", "tls__max_version", metavar="VERSION", text="Newest TLS version, likewise."),
    _value(
        "--ciphers", "tls__ciphers", metavar="LIST", text="Cipher suites for TLS 1.2 and older, as OpenSSL writes them."
    ),
    _constant("-4", "ip_version", value=4, text="IPv4 only."),
    _constant("-6", "ip_version", value=6, text="IPv6 only."),
    _values("--resolver", "resolver", metavar="IP[:PORT]", text="Ask this name server."),
    _value("--connect-to", "connect_to", metavar="HOST[:PORT]", text="Connect there; Host and SNI stay the URL's."),
    _value("--source-address", "source_address", metavar="IP", text="Connect from this address."),
    _value("--proxy", "proxy", metavar="URL", text="Go through this HTTP proxy."),
)
