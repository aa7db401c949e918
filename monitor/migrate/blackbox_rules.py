"""The rules of an http module of blackbox_exporter, each a function of a draft and the value that stands there."""

from __future__ import annotations

import re

from monitor.migrate import handlers
from monitor.migrate.credentials import has_header
from monitor.migrate.draft import Draft
from monitor.migrate.handlers import Handler
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.values import STATUSES, ranges

_VERSIONS = {"HTTP/1.0": "1.0", "HTTP/1.1": "1.1"}
_SIZE = re.compile(r"(?i)([0-9]{1,15}(?:\.[0-9]{1,6})?) *([kmgtp]?)(i?)b?")
_LARGEST = 1 << 30
_DECODED = ("gzip", "deflate", "br", "zstd", "identity")


def other_prober(draft: Draft, item: Item) -> None:
    """A key of another prober."""
    draft.lost(item.place, f"{item.path}: is not read for an http module")


def protocols(draft: Draft, http: Item, *, secure: bool) -> None:
    """The keys that mean something only together, or with the target."""
    for rule in (_family, _needs_tls, _needs_no_tls):
        try:
            rule(draft, http, secure)
        except WrongShape as wrong:
            draft.lost(wrong.place, wrong.message)


def _family(draft: Draft, http: Item, _: bool) -> None:
    family, fallback = http.get("preferred_ip_protocol"), http.get("ip_protocol_fallback")
    version = 4 if family and family.text() == "ip4" else 6
    if fallback and not fallback.boolean():
        draft.keys["ip_version"] = version
    elif family:
        draft.differs(family.place, f"{family.path}: both families are tried, IPv{version} not first")


def _needs_tls(draft: Draft, http: Item, secure: bool) -> None:
    item = http.get("fail_if_not_ssl")
    if item and item.boolean():
        if secure:
            handlers.differs("the URL is https, and a redirect to http fails here anyway")(draft, item)
        else:
            handlers.lost("an answer over http is a success here; check the https URL")(draft, item)


def _needs_no_tls(draft: Draft, http: Item, secure: bool) -> None:
    item = http.get("fail_if_ssl")
    if item and item.boolean():
        if secure:
            handlers.paused("no check here fails because TLS works")(draft, item)
        elif draft.keys.get("follow_redirects", True):
            handlers.lost("a redirect to https is followed and is no failure here")(draft, item)
        else:
            handlers.differs("the URL is http and redirects are not followed, so TLS is never met")(draft, item)


def _statuses(draft: Draft, item: Item) -> None:
    """valid_status_codes."""
    codes = [code.integer() for code in item.items()]
    fit = [code for code in codes if code in STATUSES]
    if fit:
        draft.table("expect")["status"] = ranges(fit)
    if len(fit) < len(codes):
        draft.lost(item.place, f"{item.path}: statuses outside 100 to {STATUSES[-1]} cannot be expected here")


def _versions(draft: Draft, item: Item) -> None:
    """valid_http_versions."""
    given = item.texts()
    known = [_VERSIONS[version] for version in given if version in _VERSIONS]
    if known:
        draft.table("expect")["http_version"] = known
    if len(known) < len(given):
        what = "so others are left out" if known else "so the version is not checked"
        draft.lost(item.place, f"{item.path}: only HTTP/1.0 and 1.1 are spoken here, {what}")


def _body_limit(draft: Draft, item: Item) -> None:
    """body_size_limit, in powers of 1024."""
    match = _SIZE.fullmatch(item.text())
    if match is None:
        raise WrongShape(item, "is not a size")
    size = int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))
    if not size:
        return
    draft.keys["max_body"] = min(size, _LARGEST)
    draft.differs(item.place, f"{item.path}: a longer body fails the check only if `expect` looks at the body")
    if size > _LARGEST:
        draft.lost(item.place, f"{item.path}: 1 GiB is the most here")


def _compression(draft: Draft, item: Item) -> None:
    """Sets the Accept-Encoding; the exporter also fails an answer without that coding."""
    if item.text() not in _DECODED:
        handlers.lost("this coding is unknown here; gzip and deflate are requested")(draft, item)
        return
    if not has_header(draft.keys, "Accept-Encoding"):
        draft.table("headers")["Accept-Encoding"] = item.text()
    extra = "; decoding it needs the extra `codings`" if item.text() in ("br", "zstd") else ""
    handlers.differs(f"it is requested; an answer without it is no failure here{extra}")(draft, item)


def _body(draft: Draft, operator: str, item: Item) -> None:
    """One or several patterns."""
    patterns = item.texts()
    if patterns:
        draft.table("expect", "body")[operator] = patterns


def _header_rules(draft: Draft, item: Item, *, wanted: bool) -> None:
    """fail_if_header_matches, or, `wanted`, fail_if_header_not_matches."""
    for rule in item.items():
        header, regexp, missing = handlers.values(draft, rule, "header", "regexp", "allow_missing")
        if header is None or regexp is None:
            draft.lost(rule.place, f"{rule.path}: needs a header and a regexp")
            continue
        optional = bool(missing and missing.boolean())
        _header_rule(draft, rule, header.text(), regexp.text(), wanted=wanted, optional=optional)


def _header_rule(draft: Draft, rule: Item, header: str, regexp: str, *, wanted: bool, optional: bool) -> None:
    """A header that may be missing and is judged twice would have to be optional both times."""
    rules = draft.table("expect", "headers")
    spelled = next((name for name in rules if name.lower() == header.lower()), header)
    table = rules.setdefault(spelled, {})
    if wanted and "matches" in table:
        draft.lost(rule.place, f"{rule.path}: the header {header} has to match two patterns, which cannot be said here")
        return
    if wanted:
        table["matches"] = regexp
    else:
        both = [f"(?:{pattern})" for pattern in (table.get("not_matches"), regexp) if pattern is not None]
        table["not_matches"] = "|".join(both) if len(both) > 1 else regexp
    if not optional:
        table.pop("optional", None)
        table["exists"] = True
    elif wanted and "exists" not in table:
        table["optional"] = True


_CEL = handlers.lost("expressions in CEL are not understood here; see expect.json")
HTTP: dict[str, Handler] = {
    "valid_status_codes": _statuses,
    "valid_http_versions": _versions,
    "method": handlers.upper("method"),
    "body_size_limit": _body_limit,
    "compression": _compression,
    "follow_redirects": handlers.flag("follow_redirects"),
    "no_follow_redirects": handlers.opposite("follow_redirects"),
    "fail_if_body_matches_regexp": lambda draft, item: _body(draft, "not_matches", item),
    "fail_if_body_not_matches_regexp": lambda draft, item: _body(draft, "matches", item),
    "fail_if_body_json_matches_cel": _CEL,
    "fail_if_body_json_not_matches_cel": _CEL,
    "fail_if_header_matches": lambda draft, item: _header_rules(draft, item, wanted=False),
    "fail_if_header_not_matches": lambda draft, item: _header_rules(draft, item, wanted=True),
    "oauth2": handlers.paused("tokens are not fetched here"),
    "no_proxy": handlers.lost("a proxy has no exceptions here; take `proxy` from the checks that need none"),
    "proxy_from_environment": handlers.lost_if_on("proxies of the environment are not used here; write `proxy`"),
    "proxy_connect_header": handlers.lost("a proxy gets no headers here but for its user name and password"),
    "skip_resolve_phase_with_proxy": handlers.differs("here it is always the proxy that resolves the name"),
    "source_ip_address": handlers.text("source_address"),
    "enable_http2": handlers.differs("HTTP/1.1 is spoken in any case"),
    "enable_http3": handlers.lost_if_on("HTTP/3 is not spoken here; HTTP/1.1 is"),
    **dict.fromkeys(("fail_if_ssl", "fail_if_not_ssl", "preferred_ip_protocol", "ip_protocol_fallback"), handlers.skip),
}
"""Every key of an http module that neither holds a secret nor names a file; see `protocols` for those skipped."""
