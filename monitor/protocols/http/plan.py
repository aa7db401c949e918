"""Prepares what all runs of a check share: the request, its bytes, and the proxy. The first run makes it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from yarl import URL

from monitor.model.spec import CheckSpec
from monitor.net.urls import origin
from monitor.protocols.http.redirect import Request, authorization, first_request, parse, without_userinfo
from monitor.protocols.http.request_head import request_head
from monitor.secrets.secret import reveal


@dataclass(frozen=True, slots=True)
class Plan:
    """The first hop's request with its head as it is sent, and the way of every hop."""

    request: Request = field(repr=False)
    head: bytes = field(repr=False)
    proxy: URL | None = field(repr=False)
    proxy_authorization: str | None = field(repr=False)
    origin: str = field(repr=False)
    """The origin that the check asks."""

    def more_headers(self, url: URL) -> list[tuple[str, str]]:
        """Returns the headers of a request that are for the proxy; none if the request passes a tunnel."""
        if self.proxy_authorization is None or url.scheme != "http":
            return []
        return [("Proxy-Authorization", self.proxy_authorization)]

    def absolute(self, url: URL) -> bool:
        """True if a request for this URL is sent to the proxy itself, not through a tunnel."""
        return self.proxy is not None and url.scheme == "http"


def plan_of(spec: CheckSpec) -> Plan:
    """The plan for this check, kept with it."""
    plan = spec.kept.get(__name__)
    if not isinstance(plan, Plan):
        plan = spec.kept[__name__] = _planned(spec)
    return plan


def _planned(spec: CheckSpec) -> Plan:
    proxy = given = None
    if spec.proxy is not None:
        proxy, given = without_userinfo(parse(reveal(spec.proxy)))
    request = first_request(spec)
    plan = Plan(request, b"", proxy, authorization(given) if given is not None else None, origin(request.url))
    head = request_head(request, plan.more_headers(request.url), absolute=plan.absolute(request.url))
    return replace(plan, head=head)
