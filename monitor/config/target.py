"""Reads the target of a request for /probe, and aims a module at it."""

from __future__ import annotations

import re
from dataclasses import replace

from monitor.config import addresses
from monitor.config.bad_value import BadValueError
from monitor.config.credentials import credentials
from monitor.model.spec import BasicAuth, CheckSpec
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
    if any(name.lower() == "host" for name, _ in module.headers):
        raise BadValueError("the module has a header Host of its own")
    tls = module.tls if module.tls.server_name is not None else replace(module.tls, server_name=host)
    return replace(module, headers=(("Host", place), *module.headers), tls=tls)


def aimed(module: CheckSpec, url: str) -> CheckSpec:
    """The check that a module makes of a URL, whose credentials and query values are as secret as the module's."""
    bare, userinfo = addresses.split_userinfo(url)
    auth = BasicAuth(*map(Secret, userinfo)) if userinfo else module.auth
    secrets = module.secrets | credentials({}, (url,), auth, {})
    return replace(module, url=bare, target=shown_url(url), auth=auth, secrets=secrets)
