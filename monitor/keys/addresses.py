"""Reads what says where to connect, URLs, host:port, IP addresses and networks, or raises `BadValueError`."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from monitor.keys.bad_value import BadValueError, listed, quoted
from monitor.keys.values import plain, string
from monitor.model.route import HostPort
from monitor.model.settings import Network
from monitor.net.urls import ascii_host
from monitor.secrets.secret import Secret, Text, reveal

HOST_PORT = r"^(?:\[([^\]]*)\]|([^:\[\]]*))(?::([0-9]+))?$"
_ASCII_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"  # the underscore is no host name's, but DNS has it


def url(value: object, schemes: tuple[str, ...] = ("http", "https")) -> Text:
    """A URL of one of these schemes with a host; never quoted in a message, for it may hold credentials."""
    text = string(value)
    _split(reveal(text), schemes)
    return text


def proxy(value: object) -> Text:
    """The URL of a proxy that is spoken to in plain HTTP."""
    text = string(value)
    if reveal(text).lower().startswith("https:"):
        raise BadValueError("https proxies are not supported", "write http://HOST:PORT")
    parts = _split(reveal(text), ("http",))
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadValueError("a proxy is only a host and a port", "write http://HOST:PORT")
    return text


def link(value: object) -> str:
    """A link for people to follow, `***` if it is secret, or an empty string; other schemes could run in the page."""
    text = string(value)
    if reveal(text) and not reveal(text).lower().startswith(("http://", "https://")):
        raise BadValueError("must begin with http:// or https://")
    return str(text)


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    if re.search(r"[\x00-\x20\x7f\\]", text):
        raise BadValueError("the URL has a space, a backslash or a control character in it", "write it percent-encoded")
    if not text.lower().startswith(tuple(f"{s}://" for s in schemes)):
        raise BadValueError(f"must begin with {listed([f'{s}://' for s in schemes], 'or')}")
    try:
        parts = urlsplit(text)
    except ValueError:
        raise BadValueError("the host is not a valid name or address", "an IPv6 address stands in brackets") from None
    _check_port(parts.netloc.rpartition("@")[2])
    host(parts.hostname or "")
    return parts


def _check_port(place: str) -> None:
    bracketed, _, rest = place.rpartition("]")
    name, _, digits = rest.partition(":")
    if (bracketed and name) or (digits and not (digits.isascii() and digits.isdigit())):
        advice = "an IPv6 address stands in brackets" if ":" in digits else None
        raise BadValueError("what follows the host is not a port number", advice)
    if digits:
        _port(digits, lowest=1)


def _port(digits: str, lowest: int) -> int:
    port = int(digits[:6])  # a longer one is out of range however it goes on
    if not lowest <= port <= 65535:
        raise BadValueError(f"the port is outside {lowest} to 65535")
    return port


def host(text: str) -> str:
    """A host name or an IP address, without brackets."""
    if not text:
        raise BadValueError("there is no host")
    if literal(text) is not None:
        return text
    if re.search(r"(?:^|\.)[0-9]+\.?$", text):  # a name that ends in a number is read as IPv4 by every resolver
        raise BadValueError("the host is not an IPv4 address, but ends in a number")
    name = _ascii(text)
    if literal(name) is not None:
        raise BadValueError("the host is an IPv4 address in an odd notation", "write four decimal numbers")
    if len(name) > 253 or not all(re.fullmatch(_ASCII_LABEL, part) for part in name.split(".")):
        raise BadValueError("the host is not a valid name")
    return text


def compared(text: str) -> str:
    """A host name or an IP address as it is compared: in ASCII and lower case, without the dot at its end."""
    return host(text).lower() if literal(text) else _ascii(host(text)).lower()


def _ascii(text: str) -> str:
    text = text.removesuffix(".")
    try:
        return ascii_host(text).removesuffix(".")
    except ValueError:
        why = "" if text.isascii() else ": IDNA cannot encode it"
        raise BadValueError(f"the host is not a valid name{why}") from None


def literal(text: str) -> IPv4Address | IPv6Address | None:
    """The IP address that the text is, or None."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def split_userinfo(text: Text) -> tuple[Text, tuple[str, str] | None]:
    """The URL without its userinfo, and its user name and password, decoded; None if it has none."""
    parts = urlsplit(reveal(text))
    userinfo, at, place = parts.netloc.rpartition("@")
    if not at:
        return text, None
    bare = urlunsplit(parts._replace(netloc=place))
    user, _, password = userinfo.partition(":")
    credentials = (unquote(user), unquote(password)) if userinfo else None
    return (Secret(bare) if isinstance(text, Secret) else bare), credentials


def has_userinfo(value: object) -> bool:
    """True for a URL with a userinfo; False for any other value."""
    if not isinstance(value, (str, Secret)):
        return False
    try:
        return "@" in urlsplit(reveal(value)).netloc
    except ValueError:
        return False


def ip(value: object) -> str:
    """An IP address."""
    text = plain(value)
    if literal(text) is None:
        raise BadValueError(f"{quoted(value)} is not an IP address")
    return text


def resolver(value: object) -> str:
    """A name server, as IP or IP:port, the way it is written."""
    text = plain(value)
    if literal(text) is None:
        place, _ = _host_port(value, lowest=1)
        if literal(place) is None:
            raise BadValueError(
                f"{quoted(value)} is not an IP address, with or without a port", 'write "192.0.2.53" or "192.0.2.53:53"'
            )
    return text


def connect_to(value: object) -> HostPort:
    """Parses the host and port to connect to; without a port, that of the URL is used."""
    return _host_port(value, lowest=1)


def listen(value: object) -> HostPort:
    """Parses the address to listen on; for port 0 the system chooses a port."""
    place, port = _host_port(value, lowest=0)
    if port is None:
        raise BadValueError(f"{quoted(value)} has no port", 'write "127.0.0.1:8420"')
    return place, port


def _host_port(value: object, lowest: int) -> HostPort:
    text = plain(value)
    if isinstance(literal(text), IPv6Address):
        raise BadValueError(f"{quoted(value)} is an IPv6 address without brackets", 'write "[2001:db8::1]:443"')
    match = re.fullmatch(HOST_PORT, text)
    if match is None:
        raise BadValueError(f"{quoted(value)} is not HOST:PORT", 'write "192.0.2.7:443" or "[2001:db8::1]:443"')
    bracketed, bare, digits = match.groups()
    if bracketed is not None and not isinstance(literal(bracketed), IPv6Address):
        raise BadValueError(f"{quoted(value)} has no IPv6 address in its brackets")
    return host(bracketed or bare or ""), _port(digits, lowest) if digits else None


def network(value: object) -> Network:
    """A network in CIDR notation, or a single address."""
    text = plain(value)
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = f'did you mean "{ip_network(text, strict=False)}"?' if not isinstance(value, Secret) else None
    except ValueError:
        raise BadValueError(f"{quoted(value)} is not a network", 'write "10.0.0.0/8" or "fe80::/10"') from None
    raise BadValueError(f"{quoted(value)} is an address inside a network, not the network", meant)


def allowed(value: object) -> Network | str:
    """Parses an entry of /probe's allow-list: an address or network, a host name, or `*.NAME` for all names below."""
    text = plain(value)
    if "://" in text or "/" in text.rstrip("0123456789").rstrip("/"):
        raise BadValueError("must not be a URL or a path", "only the host or the network stands here")
    if literal(text) is not None or "/" in text:
        return network(value)
    if text == "*":
        raise BadValueError('"*" is not a host', 'to allow every address, write "0.0.0.0/0" and "::/0"')
    name = text.removeprefix("*.")
    if "*" in name:
        raise BadValueError(f"{quoted(value)}: a * stands only at the beginning", 'write "*.example.com"')
    if re.fullmatch(r".*:[0-9]+", name):
        raise BadValueError(f"{quoted(value)} has a port", "all ports of a host are allowed together")
    return text.removesuffix(name) + host(name).lower().removesuffix(".")
