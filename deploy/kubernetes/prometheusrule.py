"""Writes prometheusrule.yaml of the overlay for Prometheus Operator from the rules in deploy/prometheus."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

HERE = Path(__file__).resolve().parent
RULES = HERE.parent / "prometheus"
WRITTEN = HERE / "overlays" / "prometheus-operator" / "prometheusrule.yaml"

_HEAD = """\
# Made by deploy/kubernetes/prometheusrule.py from deploy/prometheus/*.rules.yml; change those, and run it again.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: monitor
  labels:
    app.kubernetes.io/name: endpoint-monitor
spec:
"""


def manifest() -> str:
    """The PrometheusRule, with all groups of all files, comments and layout as they are there."""
    groups = [_groups(path) for path in sorted(RULES.glob("*.rules.yml"))]
    return _HEAD + ("  groups:\n" + "\n".join(groups) if groups else "  groups: []\n")


def _groups(path: Path) -> str:
    """What stands below `groups:` in a file of rules."""
    _, found, below = path.read_text("utf-8").partition("\ngroups:\n")
    if not found or any(line[:1] not in (" ", "#", "") for line in below.splitlines()):
        raise SystemExit(f"{path}: there has to be a line `groups:`, and nothing but its groups below it")
    return indent(below.strip("\n") + "\n", "  ", lambda line: bool(line.strip()))


if __name__ == "__main__":
    WRITTEN.write_text(manifest(), "utf-8")
