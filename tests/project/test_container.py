"""The container image, as far as it can be tried without an engine: what its last stage says is run in a folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.conftest import ROOT

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """The Dockerfile's instructions, continued lines joined, options of HEALTHCHECK among the words."""
    lines = [line for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines() if line[:1] != "#"]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def stages() -> list[list[Instruction]]:
    found: list[list[Instruction]] = [[]]
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found[1:]


def last(word: str) -> str:
    """What the last stage says with its only instruction of this name."""
    (found,) = [rest for name, rest in stages()[-1] if name == word]
    return found


def test_base_is_slim_and_pinned_by_its_tag() -> None:
    (base,) = [rest.partition("=")[2] for word, rest in instructions() if word == "ARG" and rest.startswith("PYTHON=")]
    assert re.fullmatch(r"3\.\d+-slim-[a-z]+", base)
    assert [rest.split()[0] for word, rest in instructions() if word == "FROM"] == ["python:${PYTHON}"] * 2


def test_last_stage_is_not_root_and_has_no_installer() -> None:
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    assert "pip uninstall -y" in last("RUN")
    assert "--without-pip" in next(rest for word, rest in stages()[0] if word == "RUN")
    assert "org.opencontainers.image.version" in last("LABEL")


def test_what_is_copied_is_in_the_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions()
        if word == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / source).exists() for source in copied)


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder that nobody but root can write to."""
    folder = tmp_path / "nowhere"
    folder.mkdir(mode=0o555)
    return folder


def test_daemon_runs_without_a_place_to_write_and_ends_by_its_stop_signal(nowhere: Path) -> None:
    """As in the image: its entry point, its healthcheck, no HOME, a user of no name, a root that cannot be written."""
    program, *arguments = [*json.loads(last("ENTRYPOINT")), *json.loads(last("CMD"))]
    assert program == "monitor"
    arguments[arguments.index("--listen") + 1] = "127.0.0.1:0"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    env["MONITOR_CONFIG"] = str(ROOT / "checks.toml")
    env["STATE_DIRECTORY"] = str(nowhere / "not-there")
    daemon = subprocess.Popen(
        [sys.executable, "-m", "monitor", *arguments], cwd=nowhere, env=env, stderr=subprocess.PIPE, text=True
    )
    try:
        assert daemon.stderr is not None
        started = next(json.loads(line) for line in daemon.stderr if '"started"' in line)
        _, _, command = last("HEALTHCHECK").partition(" CMD ")
        python, *rest = json.loads(command)
        assert python == "python"
        asked = [part.replace("127.0.0.1:8420", started["listen"]) for part in rest]
        healthy = [sys.executable, *asked]
        assert subprocess.run(healthy, cwd=nowhere, env=env, timeout=10, check=False).returncode == 0
        daemon.send_signal(signal.Signals[last("STOPSIGNAL")])
        assert daemon.wait(20) == 0
        assert list(nowhere.iterdir()) == []
        unhealthy = subprocess.run(healthy, cwd=nowhere, env=env, timeout=10, stderr=subprocess.DEVNULL, check=False)
        assert unhealthy.returncode == 1
    finally:
        if daemon.poll() is None:
            daemon.kill()
        daemon.communicate()


def test_entry_points_are_in_the_exec_form() -> None:
    """A shell as process 1 would keep SIGTERM from the daemon."""
    assert all(isinstance(json.loads(last(word)), list) for word in ("ENTRYPOINT", "CMD"))


def test_the_fields_own_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        assert not os.environ.get("CI"), "CI has to have hadolint; its package is among the development requirements"
        pytest.skip("hadolint is not installed; its package is for Linux on x86-64")
    found = subprocess.run([linter, ROOT / "deploy" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, ""), found.stderr
