"""The checks.toml of the demo, written to be read: a newcomer may change it and reload."""

from __future__ import annotations

import json
from collections.abc import Iterable

from monitor.demo.example import Example

_HEAD = """\
# Made by `monitor demo`, and removed when it ends. Change it, and have it reloaded: curl -X POST http://PAGE/-/reload

[monitor]
title = "demo"
drain_timeout = "300ms"
log.level = "error"            # every change of state is on the page
history.url = {history}

[defaults]
interval = "2s"
timeout = {{ connect = "700ms", read = "700ms", total = "1.5s" }}
resolver = ["{resolver}"]  # the demo's own name server, so that no network is needed
tls.ca_file = "ca.pem"
"""


def written(placed: Iterable[tuple[Example, str]], resolver: str, runbooks: str, history: str) -> str:
    """The whole file. `placed` is each example with the HOST:PORT of its target, empty if it has none; `history` is the
    URL of a database.
    """
    checks = (_check(example, address, runbooks) for example, address in placed)
    return "\n".join([_HEAD.format(resolver=resolver, history=_quoted(history)), *checks])


def _check(example: Example, address: str, runbooks: str) -> str:
    lines = [
        "[[checks]]",
        f"name = {_quoted(example.name)}",
        f"group = {_quoted(example.group)}",
        f"url = {_quoted(_url(example))}",
        f"description = {_quoted(example.description)}",
    ]
    if example.telling:
        lines.append(f"runbook = {_quoted(f'{runbooks}/{example.name}')}")
    if address and "{proxied}" not in example.keys:
        lines.append(f"connect_to = {_quoted(_through_names(example, address))}")
    lines += example.keys.replace("{proxied}", address).split("\n") if example.keys else []
    return "\n".join(line for line in lines if line) + "\n"


def _url(example: Example) -> str:
    if example.url:
        return example.url
    certified = example.target is not None and example.target.certificate is not None
    return f"{'https' if certified else 'http'}://{example.host}/health"


def _through_names(example: Example, address: str) -> str:
    """Returns the target's name with the port, so that runs query the name server, and the page shows its time."""
    return f"{example.host}:{address.rpartition(':')[2]}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # a basic string of TOML is written like one of JSON
