"""`monitor validate`: every problem on a line of its own, or nothing but the count."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.terminal.program import monitor, terminal

CHECK = '[[checks]]\nname = "{}"\nurl = "http://127.0.0.1:1/"\n'
WRONG = """\
[monitor]
lisen = "127.0.0.1:8420"

[[checks]]
name = "home"
url = "example.com"
timeout = { connect = "20s", total = "10s" }

[[checks]]
name = "home"
url = "http://127.0.0.1/"
headers = { Authorization = { env = "NO_SUCH_VARIABLE_AT_ALL" } }
"""


@pytest.mark.parametrize(("count", "said"), [(1, "1 check, no problems"), (3, "3 checks, no problems")])
async def test_a_fine_file_is_only_counted(count: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text("".join(CHECK.format(n) for n in range(count)))
    ended = await monitor("validate", "-c", path)
    assert (ended.code, ended.out, ended.err) == (0, f"{said}\n", "")


async def test_every_problem_has_its_line_and_nothing_is_wrapped(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(WRONG)
    ended = await monitor("validate", "-c", path, env={"COLUMNS": "40"})
    *problems, count = ended.lines
    assert (ended.code, ended.err) == (2, "")
    assert count == f"{len(problems)} problems"
    places = [re.match(rf"{re.escape(str(path))}:(\d+): ([\w.\[\]]+): \S", line) for line in problems]
    assert None not in places
    assert [int(place[1]) for place in places if place] == [2, 6, 7, 10, 12]
    assert problems[0].endswith("(did you mean `listen`?)")


async def test_one_problem_is_counted_as_one(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(CHECK.format("a") + "colour = 1\n")
    ended = await monitor("validate", "-c", path)
    assert ended.lines[-1] == "1 problem"


async def test_the_same_is_said_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(WRONG)
    piped = await monitor("validate", "-c", path)
    async with terminal("validate", "-c", path, columns=50) as screen:
        assert await screen.end() == 2
        assert screen.text == piped.out


@pytest.mark.skipif(find_spec("tzdata") is not None, reason="Python brings time zones of its own here")
async def test_a_system_without_time_zones_is_told_what_to_install_and_has_utc(tmp_path: Path) -> None:
    maintenance = '[[maintenance]]\nname = "m"\nweekly = "sat"\nat = "02:00"\nduration = "1h"\n'
    path = tmp_path / "checks.toml"
    path.write_text(f'{maintenance}timezone = "Europe/Berlin"\n')
    ended = await monitor("validate", "-c", path, env={"PYTHONTZPATH": ""})
    told = "this system has no database of time zones"
    advice = "install the package tzdata, of the system or of Python; UTC needs none"
    assert ended.code == 2
    assert ended.lines[0] == f"{path}:6: maintenance[0].timezone: {told} ({advice})"
    path.write_text(maintenance)
    assert (await monitor("validate", "-c", path, env={"PYTHONTZPATH": ""})).code == 0
