"""Prepares what all runs of a check share: the request, its bytes, and the proxy. The first run makes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from yarl import URL

from monitor.model.request import HttpRequest
from monitor.model.spec import CheckSpec
from monitor.net.dial import Destination
from monitor.net.proxy import Proxy, proxy_of
from monitor.net.urls import origin
from monitor.protocols.http.redirect import Request, first_request
from monitor.protocols.http.request_head import request_head


@dataclass(frozen=True, slots=True)
class Plan:
    """The first hop's request with its head as it is sent, and the way of every hop."""

    request: Request = field(repr=False)
    head: bytes = field(repr=False)
    first: Destination = field(repr=False)
    proxy: Proxy | None = field(repr=False)

    def destination(self, url: URL) -> Destination:
        """Returns where a request for this URL goes."""
        return self.first if url is self.request.url else _destination(url, own=origin(url) == origin(self.request.url))

    def more_headers(self, url: URL) -> list[tuple[str, str]]:
        """Returns the headers of a request that are for the proxy; none if the request passes a tunnel."""
        if self.proxy is None or self.proxy.authorization is None or url.scheme != "http":
            return []
        return [("Proxy-Authorization", self.proxy.authorization)]

    def absolute(self, url: URL) -> bool:
        """True if a request for this URL is sent to the proxy itself, not through a tunnel."""
        return self.proxy is not None and url.scheme == "http"


def plan_of(spec: CheckSpec, asked: HttpRequest) -> Plan:
    """The plan for this check, kept with it."""
    plan = spec.kept.get(__name__)
    if not isinstance(plan, Plan):
        plan = spec.kept[__name__] = _planned(spec, asked)
    return plan


def _destination(url: URL, *, own: bool) -> Destination:
    secure = url.scheme == "https"
    return Destination(url.raw_host or "", url.port or 80, own=own, secure=secure, tunnel=secure)


def _planned(spec: CheckSpec, asked: HttpRequest) -> Plan:
    request = first_request(spec, asked)
    plan = Plan(request, b"", _destination(request.url, own=True), proxy_of(spec.route))
    head = request_head(request, plan.more_headers(request.url), absolute=plan.absolute(request.url))
    return replace(plan, head=head)
