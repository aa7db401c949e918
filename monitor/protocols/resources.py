"""Holds what the checks of one process share: TLS contexts, the address policy, and the process that judges bodies."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable

from monitor.model.errors import ConfigError, Problem
from monitor.model.settings import Configuration, MonitorSpec, Network
from monitor.model.spec import CheckSpec
from monitor.net.policy import AddressPolicy, AllowList
from monitor.net.tls import TlsContexts
from monitor.protocols.http.jury import Jury
from monitor.protocols.registry import client_of, protocol_of


class Resources:
    """Resources of all checks. They hold nothing of any one check, so that checks cannot meet in them."""

    def __init__(
        self,
        deny_addresses: Iterable[Network] = MonitorSpec().deny_addresses,
        only: AllowList | None = None,
        tls: TlsContexts | None = None,
    ) -> None:
        self.policy = AddressPolicy(deny_addresses, only)
        self.tls = tls or TlsContexts()
        self.jury = Jury()

    def prepare(self, checks: Iterable[CheckSpec]) -> None:
        """Load what these checks will need from disk, so that no run waits for it. May block; meant for a thread."""
        asked = list(checks)
        for protocol in {protocol_of(check).name: protocol_of(check) for check in asked}.values():
            client_of(protocol)
        for tls, alpn in {(check.route.tls, protocol_of(check).alpn) for check in asked}:
            self.tls.get(tls, alpn)
        if any(protocol_of(check).encrypted(check) for check in asked):
            importlib.import_module("monitor.net.certificates")


async def prepared(config: Configuration) -> Resources:
    """The resources of these checks, with all that they need from disk. Raises ConfigError if that went meanwhile."""
    resources = Resources(config.monitor.deny_addresses)
    try:
        await asyncio.to_thread(resources.prepare, (*config.checks, *config.probe_modules))
    except OSError as error:
        problem = Problem(config.path, 0, "", f"a file that it names cannot be used any more: {error}")
        gone = ConfigError([problem])
        gone.sources = config.sources
        raise gone from error
    return resources
