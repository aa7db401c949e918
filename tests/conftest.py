"""What holds for every test: a daemon that it starts keeps its history in a folder of the test's own."""

from __future__ import annotations

import gc
import os
import tempfile
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import settings

from tests.starvation import Starvation

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes are started: compiling costs each half a second
os.environ["STATE_DIRECTORY"] = tempfile.mkdtemp(prefix="monitor-tests-")  # for what lives longer than a test

settings.register_profile("loaded", deadline=None)  # a time of an example says how busy the machine is
settings.load_profile("loaded")


_STARVED = 0.05
"""Seconds for which processes had to wait for a processor while a test ran, above which its failure says little."""
_REPEATED = "repeated"


def pytest_collection_finish() -> None:
    """Keep the collector from what pytest holds, as the daemon does: one look at it all takes a third of a second."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """Run a test; once more if it failed while the machine kept its processes waiting, and say so at the end.

    Many tests measure limits to within milliseconds. What fails on a free processor fails here twice.
    """
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    machine = Starvation()
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports) and (seconds := machine.anybody) > _STARVED:
        item.user_properties.append((_REPEATED, f"{item.nodeid}: processes had waited {seconds:.1f} s for a processor"))
        item._initrequest()  # type: ignore[attr-defined]  # fixtures anew, as pytest does for each item
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the tests that were repeated."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    repeated = sorted({said for report in reports for name, said in report.user_properties if name == _REPEATED})
    if repeated:
        terminalreporter.section("repeated, as the machine was busy")
        for said in repeated:
            terminalreporter.line(said)


@pytest.fixture
def starvation() -> Starvation:
    """What the machine has kept this process from since the test began; a bound on a time adds it."""
    return Starvation()


@pytest.fixture(autouse=True)
def state_directory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the history is, as under systemd; made only when somebody looks into it."""
    folder = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    return folder
