"""Resolves a request for /probe: to a configured check, or to a module and an allowed target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monitor.config.modules import DEFAULT_MODULE
from monitor.config.target import aimed, named, target_url
from monitor.keys.bad_value import BadValueError
from monitor.model.errors import BadTarget, ForbiddenTarget, NoProbeNow
from monitor.model.outcome import Reason
from monitor.model.probe import ProbeAnswer, ProbeRequest
from monitor.model.settings import Configuration
from monitor.model.spec import CheckSpec
from monitor.net.policy import AllowList, canonical
from monitor.net.urls import parse
from monitor.protocols.resources import Resources
from monitor.scheduling.engine import Engine
from monitor.secrets.secret import Secret

LONGEST = 55.0
"""Seconds that a run may take if the request does not say: a client has 60 s to get its answer."""

Identity = tuple[str | None, ...]


class Prober:
    """Answers requests for /probe by the configuration that is in force."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._running = 0

    def use(self, config: Configuration, resources: Resources) -> None:
        """Answer by this configuration from now on; `resources` are those of its checks."""
        self._spec = config.monitor.probe
        self._most = min(self._spec.max_requests, max(1, config.monitor.max_concurrency // 2))
        self._checks = {check.name: check for check in config.checks}
        self._by_url: dict[Identity, CheckSpec] = {}
        for check in config.checks:
            if check.enabled and not isinstance(check.url, Secret):
                self._by_url.setdefault(identity(check.url), check)
        self._modules = {module.name: module for module in config.probe_modules}
        self._resources = resources
        allowed = AllowList(self._spec.hosts, self._spec.networks)
        self._strict = Resources(config.monitor.deny_addresses, allowed, resources.tls)

    async def probe(self, request: ProbeRequest) -> ProbeAnswer:
        """Runs the requested check and returns its result. Raises ProbeError if it is not allowed or not possible."""
        spec = self._configured(request)
        resources = self._resources if spec else self._strict
        spec = spec or self._allowed(request)
        until = request.since + self._limit(request.scrape_timeout)
        with self._counted():
            result = await self._engine.ask(spec, resources, until)
        if result.reason is Reason.ADDRESS_DENIED and resources is self._strict:
            raise ForbiddenTarget(f"the target is not allowed: {result.detail}")
        return ProbeAnswer(spec, result)

    def _configured(self, request: ProbeRequest) -> CheckSpec | None:
        """Returns the check with this name or URL, or None; the module has to exist, but is not used."""
        self._module(request)
        if request.hostname is not None:  # a check has its own
            return None
        check = self._checks.get(request.target)
        if check is None:
            return self._by_url.get(identity(_url(request)))
        if not check.enabled:
            raise ForbiddenTarget(f"the check {check.name} is paused: enabled = false")
        return check

    def _allowed(self, request: ProbeRequest) -> CheckSpec:
        """The module, with a target that is not forbidden by what is known of it before its name is resolved."""
        url = _url(request)
        spec = aimed(_named(self._module(request), request.hostname), url)
        host = parse(url).raw_host or ""
        why = self._strict.policy.forbids_host(host, resolved_here=spec.route.proxy is None)
        if why is not None:
            raise ForbiddenTarget(f"the target is no configured check, and not allowed: {why}")
        return spec

    def _module(self, request: ProbeRequest) -> CheckSpec:
        module = self._modules.get(request.module or DEFAULT_MODULE)
        if module is None:
            known = ", ".join(sorted(self._modules))
            raise BadTarget(f"there is no such module; [probe_modules] has {known}")
        return module

    def _limit(self, scrape_timeout: float | None) -> float:
        """Seconds from the request to the answer; a short timeout of Prometheus's is shared half and half."""
        if scrape_timeout is None:
            return LONGEST
        return min(LONGEST, max(scrape_timeout - self._spec.timeout_offset, scrape_timeout / 2))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        if self._running >= self._most:
            raise NoProbeNow(f"{self._running} requests for /probe are under way, and no more are allowed at once")
        self._running += 1
        try:
            yield
        finally:
            self._running -= 1


def identity(text: str) -> Identity:
    """Returns a key that all spellings of one URL share; different user names make different keys."""
    url = parse(text)
    userinfo = url.raw_user, url.raw_password
    return (
        url.scheme,
        canonical(url.raw_host or ""),
        str(url.port),
        url.raw_path or "/",
        url.raw_query_string,
        *userinfo,
    )


def _named(module: CheckSpec, hostname: str | None) -> CheckSpec:
    try:
        return module if hostname is None else named(module, hostname)
    except BadValueError as wrong:
        raise BadTarget(f"the parameter hostname: {wrong.message}") from None


def _url(request: ProbeRequest) -> str:
    try:
        url = target_url(request.target)
        parse(url)
    except BadValueError as wrong:
        advice = f" ({wrong.suggestion})" if wrong.suggestion else ""
        raise BadTarget(f"the target is neither the name of a check nor a URL: {wrong.message}{advice}") from None
    except ValueError:
        raise BadTarget("the target is neither the name of a check nor a URL") from None
    return url
