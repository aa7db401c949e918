"""The Prometheus operator's `Probe`: the job that the operator makes of it."""

from __future__ import annotations

from monitor.migrate.draft import ImportResult
from monitor.migrate.objects import word
from monitor.migrate.relabel import Labels, Rule
from monitor.migrate.relabel_rules import rules
from monitor.migrate.scrape_job import Job, timing
from monitor.migrate.source import Item, WrongShape

_INTERVAL = "30s"
"""The operator's default for `scrapeInterval` of a Prometheus."""
_READ = {"jobName", "module", "interval", "scrapeTimeout", "targets", "prober"}


def probe_job(item: Item, imported: ImportResult) -> Job:
    """The job of a Probe; raises `WrongShape`."""
    namespace = word(item, "metadata", "namespace")
    name = "/".join(filter(None, ["probe", namespace, word(item, "metadata", "name")]))
    spec = item.get("spec")
    if spec is None:
        raise WrongShape(item, f"{name}: has no spec")
    spec = spec.anew()
    job = Job(name, _labels(spec, name, imported), rules=_rules(spec))
    static, ingress = spec.get("targets", "staticConfig"), spec.get("targets", "ingress")
    if static:
        job.groups = _groups(static, namespace)
        job.rules += rules(static.get("relabelingConfigs"), name, imported)
    if ingress:
        imported.lost(ingress.place, f"{name}: targets.ingress: targets are written out here, not discovered")
    elif not static:
        imported.lost(spec.place, f"{name}: has no targets")
    _leftovers(spec, name, imported)
    return job


def _labels(spec: Item, name: str, imported: ImportResult) -> Labels:
    interval, timeout, module = spec.get("interval"), spec.get("scrapeTimeout"), spec.get("module")
    if interval is None:
        imported.left_alone(spec.place, f"{name}: has no interval; the operator's default of {_INTERVAL} is taken")
    labels = timing(interval.text() if interval else _INTERVAL, timeout.text() if timeout else None)
    return {"job": name} | labels | ({"__param_module": module.text()} if module else {})


def _rules(spec: Item) -> list[Rule]:
    """The rules that the operator puts before those of the Probe."""
    job = spec.get("jobName")
    named = [Rule(target="job", regex="", replacement=job.text().replace("$", "$$"))] if job else []
    return [*named, Rule(["__address__"], target="__param_target"), Rule(["__param_target"], target="instance")]


def _groups(static: Item, namespace: str) -> list[tuple[str, Labels]]:
    given, listed = static.get("labels"), static.get("static")
    labels = {"namespace": namespace} if namespace else {}
    labels |= {key: item.text() for key, item in given.entries().items()} if given else {}
    return [(target.place, labels | {"__address__": target.text()}) for target in (listed.items() if listed else [])]


def _leftovers(spec: Item, name: str, imported: ImportResult) -> None:
    for key, item in spec.entries().items():
        if key in ("metricRelabelings", "metricRelabelConfigs"):
            imported.lost(item.place, f"{name}: {key}: move it to the job that scrapes this monitor")
        elif key not in _READ:
            imported.left_alone(item.place, f"{name}: {key} is about the way to the exporter")
