"""Reads the target of a request for /probe, and aims a module at it."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.config.credentials import secrets_of
from monitor.keys import addresses
from monitor.keys.bad_value import BadValueError
from monitor.model.request import BasicAuth, HttpRequest
from monitor.model.spec import CheckSpec
from monitor.protocols.registry import protocol_of
from monitor.secrets.secret import Secret, reveal, shown_url

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def target_url(text: str) -> str:
    """The target as a URL; one without a scheme means http, as in blackbox_exporter. Raises BadValueError."""
    url = text if _SCHEME.match(text) else f"http://{text}"
    return reveal(addresses.url(url))


def named(module: CheckSpec, place: str) -> CheckSpec:
    """Returns the module with HOST or HOST:PORT as its Host header, and the host for TLS, for any target.

    Raises BadValueError.
    """
    host, _ = addresses.connect_to(place)
    asked, route = _asked(module), module.route
    if any(name.lower() == "host" for name, _ in asked.headers):
        raise BadValueError("the module has a header Host of its own")
    tls = route.tls if route.tls.server_name is not None else replace(route.tls, server_name=host)
    asked = replace(asked, headers=(("Host", place), *asked.headers))
    return replace(module, request=asked, route=replace(route, tls=tls))


def aimed(module: CheckSpec, url: str) -> CheckSpec:
    """The check that a module makes of a URL, whose credentials and query values are as secret as the module's."""
    bare, userinfo = addresses.split_userinfo(url)
    asked = _asked(module)
    if userinfo:
        asked = replace(asked, auth=BasicAuth(*map(Secret, userinfo)))
    secrets = module.secrets | secrets_of({}, url) | set(protocol_of(module).secrets(asked)) - {""}
    return replace(module, url=bare, target=shown_url(url), request=asked, secrets=secrets)


def _asked(module: CheckSpec) -> HttpRequest:
    """The request of a module; modules are of HTTP."""
    assert isinstance(module.request, HttpRequest)
    return module.request
