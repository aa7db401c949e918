"""The command line as a whole: help, exit codes, where the configuration is found, and what is never a traceback."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.terminal.program import ROOT, end_of, environment, monitor, start

FINE = '[[checks]]\nname = "home"\nurl = "http://127.0.0.1:1/"\n'
COMMANDS = ("check", "demo", "probe", "run", "schema", "validate")


def written(folder: Path, text: str, name: str = "checks.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


async def python(code: str) -> tuple[int, str, str]:
    ended = await end_of(
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            env=environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    )
    return ended.code, ended.out, ended.err


async def test_help_names_every_command_and_exit_code() -> None:
    ended = await monitor("--help")
    assert ended.code == 0
    assert all(f"\n  {command} " in ended.out for command in COMMANDS)
    assert all(f" {code}  " in ended.out for code in (0, 1, 2, 3))


@pytest.mark.parametrize("command", COMMANDS)
async def test_every_command_takes_a_configuration_and_explains_itself(command: str) -> None:
    ended = await monitor(command, "-h")
    assert ended.code == 0
    assert "-c, --config FILE" in ended.out


async def test_version() -> None:
    ended = await monitor("--version")
    assert ended.code == 0
    assert ended.out.startswith("monitor ")


@pytest.mark.parametrize(
    "arguments", [(), ("bogus",), ("probe",), ("check", "--bogus"), ("run", "--listen", "nowhere")]
)
async def test_bad_usage_is_code_2(arguments: tuple[str, ...]) -> None:
    ended = await monitor(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Usage: monitor" in ended.err


@pytest.mark.parametrize("listen", ["localhost", ":80", "::1:80", "127.0.0.1:65536", "127.0.0.1:http"])
async def test_listen_has_to_be_an_address(listen: str, tmp_path: Path) -> None:
    ended = await monitor("run", "--listen", listen, "-c", written(tmp_path, FINE))
    assert ended.code == 2
    assert "--listen" in ended.err


async def test_configuration_is_taken_from_the_nearest_place(tmp_path: Path) -> None:
    """The option after the command, the one before it, the environment, the folder: the first that is given."""
    places = [written(tmp_path, FINE + extra(n), f"{n}.toml") for n in range(1, 4)]
    written(tmp_path, FINE + extra(4))
    after, before, env = places

    async def counted(*arguments: str | Path, **environ: str) -> str:
        return (await monitor(*arguments, env=environ, cwd=tmp_path)).out

    assert await counted("-c", before, "validate", "-c", after, MONITOR_CONFIG=str(env)) == "2 checks, no problems\n"
    assert await counted("-c", before, "validate", MONITOR_CONFIG=str(env)) == "3 checks, no problems\n"
    assert await counted("validate", MONITOR_CONFIG=str(env)) == "4 checks, no problems\n"
    assert await counted("validate") == "5 checks, no problems\n"


def extra(count: int) -> str:
    return "".join(FINE.replace("home", f"extra-{n}") for n in range(count))


@pytest.mark.parametrize("command", ["validate", "check", "run"])
async def test_without_a_configuration_it_is_said_how_to_name_one(command: str, tmp_path: Path) -> None:
    ended = await monitor(command, cwd=tmp_path)
    assert ended.code == 2
    said = ended.out if command == "validate" else ended.err
    assert said.splitlines()[0].startswith("checks.toml: there is no such file")
    assert "-c FILE" in said
    assert "$MONITOR_CONFIG" in said


@pytest.mark.parametrize("command", ["check", "run"])
async def test_a_bad_configuration_is_shown_whole_and_is_code_2(command: str, tmp_path: Path) -> None:
    path = written(tmp_path, FINE.replace("http:", "ftp:") + 'intervall = "1s"\n')
    ended = await monitor(command, "-c", path)
    assert (ended.code, ended.out) == (2, "")
    *problems, count = ended.err.splitlines()
    assert [line.startswith(f"{path}:") for line in problems] == [True, True]
    assert count == "2 problems"


async def test_a_closed_pipe_is_no_traceback() -> None:
    reader, writer = os.pipe()
    process = await start("schema", stdout=writer)
    os.close(writer)
    os.close(reader)
    ended = await process.communicate()
    assert process.returncode == 141
    assert ended[1] == b""


async def test_a_bug_shows_its_traceback_and_is_not_taken_for_a_failed_check() -> None:
    code, out, err = await python(
        "import sys, monitor.config, monitor.cli\n"
        "monitor.config.schema = lambda: 1 // 0\n"
        "sys.argv[1:] = ['schema']\n"
        "monitor.cli.main()"
    )
    assert (code, out) == (70, "")
    assert err.startswith("Traceback")
    assert "ZeroDivisionError" in err


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], {"aiohttp", "rich", "structlog", "pydantic", "apscheduler", "cryptography", "re2"}),
        (["validate", "-c", "/nonexistent"], {"aiohttp", "rich", "structlog", "apscheduler", "uvloop"}),
    ],
)
async def test_commands_import_only_what_they_need(arguments: list[str], unwanted: set[str]) -> None:
    code, _, err = await python(
        "import sys, atexit, monitor.cli\n"
        f"sys.argv[1:] = {arguments}\n"
        f"atexit.register(lambda: print(sorted({unwanted} & set(sys.modules)), file=sys.stderr))\n"
        "monitor.cli.main()"
    )
    assert code in (0, 2)
    assert err.endswith("[]\n")


async def test_schema_is_the_schema_of_the_file() -> None:
    ended = await monitor("schema")
    assert ended.code == 0
    assert '\n  "$schema": ' in ended.out


def test_the_program_is_what_the_project_file_installs() -> None:
    assert 'monitor = "monitor.cli:main"' in (ROOT / "pyproject.toml").read_text()
