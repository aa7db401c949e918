"""Label sets of the `probe_*` series, as pairs and as exposition text."""

from __future__ import annotations

import functools
import re
from urllib.parse import urlsplit

from prometheus_client.utils import floatToGoString

from monitor.secret import reveal
from monitor.spec import CheckSpec

Labels = tuple[tuple[str, str], ...]

_OWN = frozenset({"check", "group", "target", "protocol"})
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]")


def check_labels(spec: CheckSpec) -> Labels:
    """What every series of a check carries."""
    return (("check", spec.name), ("group", spec.group))


def info_labels(spec: CheckSpec) -> Labels:
    """What `probe_info` carries besides: target, protocol, and the check's own labels."""
    own = {_name(key): value for key, value in spec.labels}
    scheme = urlsplit(reveal(spec.url)).scheme.lower()
    return (("target", spec.target), ("protocol", scheme), *own.items())


def _name(key: str) -> str:
    """A name that Prometheus takes and that shadows none of ours, by its own rule for clashes: `exported_`."""
    name = _NOT_A_NAME.sub("_", key)
    clashes = name in _OWN or name.startswith("__") or not name or name[0].isdigit()
    return f"exported_{name}" if clashes else name


def label_text(labels: Labels) -> str:
    """Labels as they stand between the braces of a sample, in either format."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)


cached_label_text = functools.lru_cache(maxsize=1024)(label_text)
"""The same for the few sets that recur on every check (phases, buckets, states)."""

cached_number = functools.lru_cache(maxsize=4096)(floatToGoString)
"""A value as both formats write it; most are counts, codes and versions that recur."""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
