"""Reads URLs and host names as browsers do, by the WHATWG URL standard (https://url.spec.whatwg.org/)."""

from __future__ import annotations

import re

import ada_url
from yarl import URL

LONGEST = 64 * 1024
"""Characters of a URL that a redirect may lead to; servers refuse request lines of a quarter of that."""
_NO_HOST = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^|\x7f]")
"""Characters that end a host or stand in none, and the percent sign, which the standard would decode."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_PLAIN_URL = re.compile(r"[!#-;=?-\[\]_a-z~]+")
"""Characters of RFC 3986: a URL made of them is sent as it was written."""
_HOST = re.compile(r"^([^/?#]*//(?:[^/?#]*@)?)([^/?#:\[\]]+)")


def parse(text: str) -> URL:
    """A URL that is sent as it is written if that is possible, else quoted. Raises ValueError."""
    if not text.isascii():
        text = _HOST.sub(lambda m: m[0] if m[2].isascii() else m[1] + ascii_host(m[2]), text)
    try:
        url = URL(text, encoded=bool(_PLAIN_URL.fullmatch(text)))
    except IndexError:  # what yarl 1.x raises for some brackets without a host
        raise ValueError("not a URL") from None
    _ = url.port  # parsed only when asked for, and then it may be out of range
    return url.with_fragment(None)


def ascii_host(host: str) -> str:
    """A host as it goes over the wire: names by IDNA (UTS 46), every notation of IPv4 as four decimal numbers.

    An IPv6 address, without brackets, stays as it is. Raises ValueError for what is no host.
    """
    if ":" in host:
        return host
    if _NO_HOST.search(host):
        raise ValueError("not a host")
    return _parsed(f"http://{host}/").hostname


def resolved(base: URL, location: str) -> str:
    """The URL that a Location leads to, without userinfo and fragment.

    Bytes that are not ASCII are percent-encoded, whatever charset they are in. Raises ValueError for what is no URL.
    """
    if len(location) > LONGEST:
        raise ValueError("longer than a URL may be")
    sent = location.encode("utf-8", "surrogateescape")
    text = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], sent).decode("ascii")
    url = _parsed(text, _without_zone(base))
    if url.protocol in ("http:", "https:"):
        url.username = url.password = url.hash = ""
    return _with_zone_of(base, url)


def origin(url: URL) -> str:
    """The origin of an http or https URL: two spellings of one host, or of one port, are the same."""
    return _parsed(_without_zone(url)).origin


def _parsed(text: str, base: str | None = None) -> ada_url.URL:
    try:
        return ada_url.URL(text, base)
    except UnicodeEncodeError:  # half of a surrogate pair
        raise ValueError("not a URL") from None


def _without_zone(url: URL) -> str:
    """The URL without the zone of a link-local address, `[fe80::1%eth0]`, of which the standard knows nothing."""
    host, _, zone = (url.raw_host or "").partition("%")
    return str(url).replace(f"[{host}%{zone}]", f"[{host}]", 1) if zone else str(url)


def _with_zone_of(base: URL, url: ada_url.URL) -> str:
    """The URL with the zone that leads to its address: a server does not know by what name its client calls a link."""
    host, _, zone = (base.raw_host or "").partition("%")
    if not zone or url.hostname != _parsed(_without_zone(base)).hostname:
        return url.href
    return url.href.replace(url.hostname, f"[{host}%{zone}]", 1)
