"""Label sets of the `probe_*` series, as the text between the braces of a sample, in either format."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import cast

from monitor.model.spec import CheckSpec
from monitor.secrets.secret import reveal

_OWN = frozenset({"check", "group", "target", "protocol"})
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_]")


def check_labels(spec: CheckSpec) -> str:
    """Returns the labels of every series of a check; made once per check."""
    return _once(spec, "metrics.labels", _check_labels)


def info_labels(spec: CheckSpec) -> str:
    """Returns the labels of `probe_info`: target, protocol and the check's own too; in prometheus-client's order."""
    return _once(spec, "metrics.info", _info_labels)


def _once(spec: CheckSpec, what: str, write: Callable[[CheckSpec], str]) -> str:
    text = spec.kept.get(what)
    if text is None:
        text = spec.kept[what] = write(spec)
    return cast("str", text)


def _check_labels(spec: CheckSpec) -> str:
    return f'check="{_escaped(spec.name)}",group="{_escaped(spec.group)}"'


def _info_labels(spec: CheckSpec) -> str:
    protocol = reveal(spec.url).partition(":")[0].lower()
    labels = {"check": spec.name, "group": spec.group, "target": spec.target, "protocol": protocol}
    labels.update((_name(key), value) for key, value in spec.labels)
    return label_text(sorted(labels.items()))


def label_text(labels: Iterable[tuple[str, str]]) -> str:
    """Names and values as they are written."""
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in labels])


@functools.lru_cache
def _name(key: str) -> str:
    """Returns a valid label name; adds `exported_`, as Prometheus does, if it clashes with one of the monitor."""
    name = _NOT_A_NAME.sub("_", key)
    clashes = name in _OWN or name.startswith("__") or not name or name[0].isdigit()
    return f"exported_{name}" if clashes else name


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
