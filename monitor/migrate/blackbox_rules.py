"""The rules of an http module of blackbox_exporter, each a function of a draft and the value that stands there."""

from __future__ import annotations

import re

from monitor.migrate.draft import Draft
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.values import has_header, ranges

_VERSIONS = {"HTTP/1.0": "1.0", "HTTP/1.1": "1.1"}
_SIZE = re.compile(r"(?i)([0-9]{1,15}(?:\.[0-9]{1,6})?) *([kmgtp]?)(i?)b?")
_LARGEST = 1 << 30


def no_tls(draft: Draft, item: Item, secure: bool) -> None:
    """fail_if_ssl, as far as it follows from the rest."""
    if secure:
        draft.pause(item.place, "fail_if_ssl: a check that fails if TLS works is not to be had here")
    elif draft.keys.get("follow_redirects", True):
        draft.lost(item.place, "fail_if_ssl: a redirect to https is followed and is no failure here")
    else:
        draft.differs(item.place, "fail_if_ssl: the URL is http and redirects are not followed, so TLS is never met")


def skip(draft: Draft, item: Item) -> None:
    """Read elsewhere."""


def unknown(draft: Draft, item: Item) -> None:
    """A key that nobody here knows."""
    if "cel" in item.path:
        draft.lost(item.place, f"{item.path}: expressions in CEL are not understood here; see expect.json")
    else:
        draft.lost(item.place, f"{item.path}: there is no such key known here")


def other_prober(draft: Draft, item: Item) -> None:
    """A key of another prober."""
    draft.lost(item.place, f"{item.path}: is not read for an http module")


def if_set(draft: Draft, item: Item, sentence: str) -> None:
    """A switch that has no counterpart, noted if it is on."""
    if item.boolean():
        draft.lost(item.place, f"{item.path.rpartition('.')[2]}: {sentence}")


def statuses(draft: Draft, item: Item) -> None:
    """valid_status_codes."""
    codes = [code.integer() for code in item.items()]
    fit = [code for code in codes if 100 <= code <= 599]
    if fit:
        draft.table("expect")["status"] = ranges(fit)
    if len(fit) < len(codes):
        draft.lost(item.place, "valid_status_codes: statuses outside 100 to 599 cannot be expected here")


def versions(draft: Draft, item: Item) -> None:
    """valid_http_versions."""
    given = item.texts()
    known = [_VERSIONS[version] for version in given if version in _VERSIONS]
    if known:
        draft.table("expect")["http_version"] = known
    if len(known) < len(given):
        what = "so others are left out" if known else "so the version is not checked"
        draft.lost(item.place, f"valid_http_versions: only HTTP/1.0 and 1.1 are spoken here, {what}")


def body_limit(draft: Draft, item: Item) -> None:
    """body_size_limit, in powers of 1024."""
    match = _SIZE.fullmatch(item.text())
    if match is None:
        raise WrongShape(item, "is not a size")
    size = int(float(match[1]) * 1024 ** " kmgtp".index(match[2].lower() or " "))
    if not size:
        return
    draft.keys["max_body"] = min(size, _LARGEST)
    draft.differs(item.place, "body_size_limit: a longer body fails the check only if `expect` looks at the body")
    if size > _LARGEST:
        draft.lost(item.place, "body_size_limit: 1 GiB is the most here")


def compression(draft: Draft, item: Item) -> None:
    """What to ask for; the exporter also insists on it."""
    if not has_header(draft.keys, "Accept-Encoding"):
        draft.table("headers")["Accept-Encoding"] = item.text()
    draft.differs(item.place, "compression: it is asked for; an answer without it is no failure here")


def body(draft: Draft, operator: str, item: Item) -> None:
    """One or several patterns."""
    draft.table("expect", "body")[operator] = item.texts()


def header_rules(draft: Draft, item: Item, *, wanted: bool) -> None:
    """fail_if_header_matches, or, `wanted`, fail_if_header_not_matches."""
    for rule in item.items():
        header, regexp, missing = (rule.get(key) for key in ("header", "regexp", "allow_missing"))
        if header is None or regexp is None:
            draft.lost(rule.place, f"{rule.path}: needs a header and a regexp")
            continue
        optional = bool(missing and missing.boolean())
        _header_rule(draft, rule, header.text(), regexp.text(), wanted=wanted, optional=optional)


def _header_rule(draft: Draft, rule: Item, header: str, regexp: str, *, wanted: bool, optional: bool) -> None:
    rules = draft.table("expect", "headers")
    spelled = next((name for name in rules if name.lower() == header.lower()), header)
    table = rules.setdefault(spelled, {})
    if not optional:
        table["exists"] = True
    if wanted and (optional or "matches" in table):
        why = "may be missing, but has to match where it is there" if optional else "has to match two patterns"
        draft.lost(rule.place, f"{rule.path}: the header {header} {why}, which cannot be said here")
    elif wanted:
        table["matches"] = regexp
    else:
        both = [f"(?:{pattern})" for pattern in (table.get("not_matches"), regexp) if pattern is not None]
        table["not_matches"] = "|".join(both) if len(both) > 1 else regexp
    if not table:
        del rules[spelled]
