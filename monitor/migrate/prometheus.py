"""The targets of a Prometheus configuration whose scrape jobs go through blackbox_exporter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import re2

from monitor.errors import ForeignFileError
from monitor.migrate.draft import Imported
from monitor.migrate.relabel import Labels, Rule, relabelled
from monitor.migrate.source import Item, WrongShape, load
from monitor.migrate.values import seconds

_OURS = (
    "job_name", "params", "metrics_path", "scrape_interval", "scrape_timeout", "static_configs", "file_sd_configs",
    "relabel_configs", "scheme",
)  # fmt: skip
_WORDS = {
    "separator": "separator", "target_label": "target", "regex": "regex", "replacement": "replacement",
    "action": "action",
}  # fmt: skip
_RELABEL = (*_WORDS, "source_labels", "modulus")
_PARAMETERS = ("target", "module", "hostname")
_INTERVAL, _TIMEOUT = "1m", "10s"
"""Prometheus's own defaults."""


@dataclass(frozen=True, slots=True)
class Target:
    """One URL to probe: with which module, how often, and what Prometheus calls it."""

    place: str
    job: str
    address: str
    module: str
    hostname: str
    labels: Labels
    interval: float
    timeout: float


def targets(path: Path, imported: Imported) -> Iterator[Target]:
    """Every target that is probed; what cannot be followed is noted."""
    document = load(path)
    try:
        jobs, more = document.get("scrape_configs"), document.get("scrape_config_files")
        if more:
            imported.lost(more.place, "scrape_config_files: are not opened; name each of them with --targets, too")
        if jobs is None and more:
            return
        if jobs is None:
            raise ForeignFileError(f"{document.place}: has no scrape_configs, so this is no Prometheus configuration")
        for job in jobs.items():
            try:
                yield from _Job(job, document, imported, path.parent).targets()
            except WrongShape as wrong:
                imported.lost(wrong.place, wrong.message)
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None


class _Job:
    """One entry of scrape_configs."""

    def __init__(self, job: Item, document: Item, imported: Imported, directory: Path) -> None:
        self._job = job
        self._document = document
        self._imported = imported
        self._directory = directory
        name = job.get("job_name")
        self._name = name.text() if name else "job"

    def targets(self) -> Iterator[Target]:
        """The targets, relabelled."""
        path = self._job.get("metrics_path")
        if not path.text().endswith("/probe") if path else self._job.get("params", "module") is None:
            self._imported.left_alone(self._job.place, f"the job {self._name} does not go to a blackbox_exporter")
            return
        rules = list(self._rules())
        self._leftovers()
        for place, labels in [*self._static(), *self._files()]:
            target = self._target(place, labels, rules)
            if target is not None:
                yield target

    def _leftovers(self) -> None:
        for key, item in self._job.entries().items():
            if key.endswith("_sd_configs") and key != "file_sd_configs":
                self._imported.lost(
                    item.place, f"job {self._name}: {key}: targets are written out here, not discovered"
                )
            elif key == "metric_relabel_configs":
                self._imported.lost(
                    item.place, f"job {self._name}: {key}: move it to the job that scrapes this monitor"
                )
            elif key not in _OURS:
                self._imported.left_alone(item.place, f"job {self._name}: {key} is about the way to the exporter")

    def _static(self) -> Iterator[tuple[str, Labels]]:
        groups = self._job.get("static_configs")
        for group in groups.items() if groups else []:
            yield from self._group(group)

    def _group(self, group: Item) -> Iterator[tuple[str, Labels]]:
        try:
            self._known(group, "targets", "labels")
            labels = {name: item.text() for name, item in _entries(group, "labels").items()}
            listed = group.get("targets")
            for target in listed.items() if listed else []:
                yield target.place, labels | {"__address__": target.text()}
        except WrongShape as wrong:
            self._imported.lost(wrong.place, wrong.message)

    def _known(self, item: Item, *keys: str) -> None:
        for key, inner in item.entries().items():
            if key not in keys:
                self._imported.lost(inner.place, f"job {self._name}: {inner.path}: there is no such key known here")

    def _files(self) -> Iterator[tuple[str, Labels]]:
        listed = self._job.get("file_sd_configs")
        for entry in listed.items() if listed else []:
            self._known(entry, "files", "refresh_interval")
            names = entry.get("files")
            for name in names.items() if names else []:
                yield from self._file(name)

    def _file(self, name: Item) -> Iterator[tuple[str, Labels]]:
        pattern = Path(self._directory, name.text())
        found = sorted(pattern.parent.glob(pattern.name)) if pattern.name else []
        if not found:
            self._imported.lost(name.place, f"job {self._name}: there is no file {pattern}")
        for path in found:
            try:
                for group in load(path).items():
                    yield from self._group(group)
            except (ForeignFileError, WrongShape) as error:
                message = error.message if isinstance(error, WrongShape) else str(error)
                self._imported.lost(name.place, f"job {self._name}: {message}")

    def _target(self, place: str, labels: Labels, rules: list[Rule]) -> Target | None:
        try:
            after = relabelled(self._initial() | labels, rules)
        except re2.error:
            self._imported.lost(place, f"job {self._name}: a regex of its relabel_configs is not RE2")
            return None
        if after is None:
            self._imported.lost(place, f"job {self._name}: its relabel_configs drop this target")
            return None
        if "__param_target" not in after:
            self._imported.lost(place, f"job {self._name}: after its relabel_configs there is no __param_target")
            return None
        address, kept = after["__param_target"], {k: v for k, v in after.items() if not k.startswith("__")}
        if kept.get("instance", address) == address:
            kept.pop("instance", None)
        return Target(
            place,
            kept.pop("job", self._name),
            address,
            after.get("__param_module", "http_2xx"),
            after.get("__param_hostname", ""),
            kept,
            self._duration(place, after, "__scrape_interval__"),
            self._duration(place, after, "__scrape_timeout__"),
        )

    def _initial(self) -> Labels:
        """The labels of every target before those of its group."""
        interval, limit = self._timing("scrape_interval", _INTERVAL), self._timing("scrape_timeout", _TIMEOUT)
        if self._job.get("scrape_timeout") is None and (seconds(limit) or 0) > (seconds(interval) or 0):
            limit = interval
        return {
            "job": self._name,
            "__metrics_path__": self._word("metrics_path", "/metrics"),
            "__scheme__": self._word("scheme", "http"),
            "__scrape_interval__": interval,
            "__scrape_timeout__": limit,
        } | self._parameters()

    def _word(self, key: str, default: str) -> str:
        item = self._job.get(key)
        return item.text() if item else default

    def _timing(self, key: str, default: str) -> str:
        item = self._job.get(key) or self._document.get("global", key)
        return item.text() if item else default

    def _duration(self, place: str, labels: Labels, key: str) -> float:
        default = _INTERVAL if "interval" in key else _TIMEOUT
        found = seconds(labels.get(key, default))
        if not found:
            name = key.strip("_")
            self._imported.lost(place, f"job {self._name}: {name} is not a duration; Prometheus's {default} is taken")
        return found or seconds(default) or 0

    def _parameters(self) -> Labels:
        given = _entries(self._job, "params")
        for name, item in given.items():
            if name not in _PARAMETERS:
                self._imported.lost(item.place, f"job {self._name}: params.{name} has no counterpart here")
        return {f"__param_{name}": (item.texts() or [""])[0] for name, item in given.items()}

    def _rules(self) -> Iterator[Rule]:
        listed = self._job.get("relabel_configs")
        for item in listed.items() if listed else []:
            self._known(item, *_RELABEL)
            rule = _rule(item)
            if rule.known:
                yield rule
            else:
                self._imported.lost(item.place, f"job {self._name}: no such action of relabelling: {rule.action}")


def _entries(item: Item, key: str) -> dict[str, Item]:
    inner = item.get(key)
    return inner.entries() if inner else {}


def _rule(item: Item) -> Rule:
    given = item.entries()
    words = {ours: given[theirs].text() for theirs, ours in _WORDS.items() if theirs in given}
    if "action" in words:
        words["action"] = words["action"].lower()
    modulus = given["modulus"].integer() if "modulus" in given else 0
    source = given["source_labels"].texts() if "source_labels" in given else []
    return Rule(source, modulus=modulus, **words)


def nickname(address: str) -> str:
    """A target's address without scheme, query, user name, and password, which may have `/`, `?` and `#` in it."""
    bare = re.sub(r"^[A-Za-z]+://", "", address)
    if re.match(r"[^/?#]*@|[^/?#@\[\]]*:(?!\d{1,5}(?:[/?#]|$)).*@", bare):
        bare = bare.rpartition("@")[2]
    return re.split(r"[?#]", bare)[0].strip("/")
