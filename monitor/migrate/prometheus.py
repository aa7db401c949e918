"""The targets of a Prometheus configuration, or of objects of its operator, that are probed by blackbox_exporter."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from monitor.migrate.draft import ImportResult
from monitor.migrate.objects import Documents, documents, has_any, word
from monitor.migrate.operator_probe import probe_job
from monitor.migrate.relabel import Labels
from monitor.migrate.relabel_rules import rules
from monitor.migrate.scrape_job import INTERVAL, Job, Target, timing
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.target_files import TargetFiles, groups
from monitor.model.errors import ForeignFileError

_OURS = {
    "job_name", "params", "metrics_path", "scrape_interval", "scrape_timeout", "static_configs", "file_sd_configs",
    "relabel_configs", "scheme",
}  # fmt: skip
_KEYS = ("scrape_configs", "scrape_config_files")
_PARAMETERS = ("target", "module", "hostname")
_OPERATORS = {
    "jobName": "job_name", "metricsPath": "metrics_path", "scrapeInterval": "scrape_interval",
    "scrapeTimeout": "scrape_timeout", "staticConfigs": "static_configs", "relabelings": "relabel_configs",
    "metricRelabelings": "metric_relabel_configs",
}  # fmt: skip
"""Keys of the operator's ScrapeConfig that are spelled differently in prometheus.yml."""


def targets(path: Path, imported: ImportResult) -> Iterator[Target]:
    """Every target that is probed; what cannot be followed is noted."""
    found = documents(path)
    files = TargetFiles(path.parent, imported, dict(found.data))
    for job in _jobs(found, imported, files, path):
        try:
            made = job()
        except WrongShape as wrong:
            imported.lost(wrong.place, wrong.message)
        else:
            yield from made.targets(imported) if made else ()


def _jobs(
    found: Documents, imported: ImportResult, files: TargetFiles, path: Path
) -> Iterator[Callable[[], Job | None]]:
    """The jobs of all documents, each still to be read."""
    configurations = found.configurations(_may_be_one, "Prometheus", imported)
    probes, configs = found.of("Probe"), found.of("ScrapeConfig")
    if not probes and not configs and not any(map(_is_one, configurations)):
        where = configurations[0].place if configurations else str(path)
        sentence = f"{where}: has no scrape_configs, so this is no Prometheus configuration"
        raise ForeignFileError(found.complaint or sentence)
    try:
        for document in configurations:
            for job in _listed(document, imported):
                reader = _Reader(job, imported, files, None if document.is_list else document.get("global"))
                yield reader.job
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None
    yield from (functools.partial(probe_job, probe, imported) for probe in probes)
    yield from (functools.partial(_of_operator, config, imported, files) for config in configs)


def _may_be_one(item: Item) -> bool:
    return item.is_list or has_any(item, _KEYS)


def _is_one(item: Item) -> bool:
    """True for a configuration, or a list of jobs as in `additionalScrapeConfigs`."""
    return any(has_any(each, ("job_name",)) for each in item.items()) if item.is_list else has_any(item, _KEYS)


def _listed(document: Item, imported: ImportResult) -> list[Item]:
    if document.is_list:
        return document.items() if _is_one(document) else []
    more, jobs = document.get("scrape_config_files"), document.get("scrape_configs")
    if more:
        imported.lost(more.place, "scrape_config_files: are not opened; name each of them with --targets, too")
    return jobs.items() if jobs else []


def _of_operator(item: Item, imported: ImportResult, files: TargetFiles) -> Job | None:
    spec = item.get("spec")
    if spec is None:
        raise WrongShape(item, "ScrapeConfig: has no spec")
    name = "/".join(filter(None, ["scrapeConfig", word(item, "metadata", "namespace"), word(item, "metadata", "name")]))
    return _Reader(spec.anew(), imported, files, None, name).job()


class _Reader:
    """Reads one entry of scrape_configs, or the spec of a ScrapeConfig."""

    def __init__(
        self, item: Item, imported: ImportResult, files: TargetFiles, overall: Item | None, name: str = ""
    ) -> None:
        self._item = item
        self._imported = imported
        self._files = files
        self._overall = overall
        self._name = name

    def job(self) -> Job | None:
        """The job; None if it does not go to a blackbox_exporter."""
        keys = {_spelled(key): item for key, item in self._item.entries().items() if not item.empty}
        self._name = keys["job_name"].text() if "job_name" in keys else self._name or "job"
        path = keys.get("metrics_path")
        if not path.text().endswith("/probe") if path else self._item.get("params", "module") is None:
            self._imported.left_alone(self._item.place, f"the job {self._name} does not go to a blackbox_exporter")
            return None
        job = Job(self._name, self._initial(keys), rules=rules(keys.get("relabel_configs"), self._name, self._imported))
        self._leftovers(keys)
        job.groups = [*groups(keys.get("static_configs"), self._name, self._imported)]
        job.groups += self._files.groups(keys.get("file_sd_configs"), self._name)
        return job

    def _leftovers(self, keys: dict[str, Item]) -> None:
        for key, item in keys.items():
            say, why = self._imported.lost, ""
            if key.endswith("_sd_configs") and key != "file_sd_configs":
                why = "targets are written out here, not discovered"
            elif key == "metric_relabel_configs":
                why = "move it to the job that scrapes this monitor"
            elif key not in _OURS:
                say, why = self._imported.left_alone, "is about the way to the exporter"
            if why:
                say(item.place, f"job {self._name}: {item.path.rpartition('.')[2]}: {why}")

    def _initial(self, keys: dict[str, Item]) -> Labels:
        def word_of(key: str, default: str) -> str:
            return keys[key].text() if key in keys else default

        def time_of(key: str) -> str | None:
            item = keys.get(key) or (self._overall.get(key) if self._overall else None)
            return item.text() if item else None

        return {
            "job": self._name,
            "__metrics_path__": word_of("metrics_path", "/metrics"),
            "__scheme__": word_of("scheme", "http"),
            **timing(time_of("scrape_interval") or INTERVAL, time_of("scrape_timeout")),
            **self._parameters(keys.get("params")),
        }

    def _parameters(self, params: Item | None) -> Labels:
        given = params.entries() if params else {}
        for name, item in given.items():
            if name not in _PARAMETERS:
                self._imported.lost(item.place, f"job {self._name}: params.{name} has no counterpart here")
        return {f"__param_{name}": (item.texts() or [""])[0] for name, item in given.items()}


def _spelled(key: str) -> str:
    """A key as prometheus.yml spells it: `fileSDConfigs` is `file_sd_configs`."""
    discovery = re.fullmatch(r"(\w+)SDConfigs", key)
    return f"{discovery[1].lower()}_sd_configs" if discovery else _OPERATORS.get(key, key)
