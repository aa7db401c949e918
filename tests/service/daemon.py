"""Runs the daemon as a real subprocess: writes its file, reads its log, asks it over HTTP, ends it by its pid."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from monitor.rules.due import fraction_of
from tests import nursery
from tests.log_pipe import Line, LogPipe

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up; far more than anything takes."""
PAUSE, LONGEST_PAUSE = 0.03, 0.15
"""Seconds between two looks: longer ones the longer it takes, as a look at a daemon costs it and the test 10 ms."""
RUN = (sys.executable, "-m", "monitor")
BRISK = {"interval": "1s", "timeout": {"connect": "500ms", "read": "500ms", "total": "900ms"}, "down_after": 1}
"""What checks of these tests inherit, so that something happens soon."""

Found = TypeVar("Found")


async def eventually(
    look: Callable[[], Awaitable[Found]], accept: Callable[[Found], Any] = bool, within: float = PATIENCE
) -> Found:
    """What `look` finds as soon as it is acceptable."""
    give_up, pause = time.monotonic() + within, PAUSE
    while not accept(found := await look()):
        assert time.monotonic() < give_up, f"not so within {within} s; at last: {found!r}"
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, 1.1 * pause)
    return found


async def until(condition: Callable[[], Any], within: float = PATIENCE) -> None:
    """Return once a condition of the test's own holds, such as what its target has seen."""

    async def look() -> Any:
        return condition()

    await eventually(look, within=within)


def toml(value: object) -> str:
    """A value as TOML writes it, tables inline."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(str(k))} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def configuration(
    checks: Sequence[Mapping[str, Any]],
    monitor: Mapping[str, Any] | None = None,
    defaults: Mapping[str, Any] | None = None,
) -> str:
    """The text of a checks.toml."""
    sections = [("[monitor]", monitor or {}), ("[defaults]", {**BRISK, **(defaults or {})})]
    sections += [("[[checks]]", check) for check in checks]
    return "\n".join(
        f"{head}\n" + "".join(f"{key} = {toml(value)}\n" for key, value in table.items()) for head, table in sections
    )


def names_due_in(seconds: float, interval: float, count: int = 1) -> list[str]:
    """Names of checks that are due next so many seconds from now, or a twentieth of the interval later."""
    share = ((time.time() + seconds) / interval) % 1
    names = (f"held-{n}" for n in range(100_000))
    return list(islice((name for name in names if (fraction_of(name) - share) % 1 < 0.05), count))


class Metrics:
    """One scrape, parsed as far as somebody asks: most want two of its hundreds of series."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._named: dict[str, list[Any]] = {}

    @cached_property
    def samples(self) -> list[Any]:
        """All of them."""
        return _samples(self.text)

    def all(self, name: str, **labels: str) -> list[Any]:
        """The samples of this name that carry at least these labels."""
        if name not in self._named:
            lines = (line for line in self.text.splitlines() if line.startswith((f"{name}{{", f"{name} ")))
            self._named[name] = _samples("\n".join(lines))
        return [s for s in self._named[name] if labels.items() <= s.labels.items()]

    def all_of(self, check: str) -> list[Any]:
        """The samples of one check."""
        return [s for s in self.samples if s.labels.get("check") == check]

    def value(self, name: str, **labels: str) -> float | None:
        """The value of the one sample with at least these labels; None if there is none."""
        found = self.all(name, **labels)
        assert len(found) <= 1, found
        return found[0].value if found else None

    def total(self, name: str, **labels: str) -> float:
        """The sum over the samples with at least these labels."""
        return sum(s.value for s in self.all(name, **labels))

    @property
    def checks(self) -> set[str]:
        """The checks that have any series."""
        return {s.labels["check"] for s in self.samples if "check" in s.labels}

    def assert_adds_up(self) -> None:
        """Every attempt is a success, a failure or inconclusive."""
        for check in self.checks:
            successes = self.total("probe_latency_seconds_count", check=check)
            failures = self.total("probe_failures_total", check=check)
            inconclusive = self.total("probe_inconclusive_total", check=check)
            assert self.total("probe_attempts_total", check=check) == successes + failures + inconclusive, check


def _samples(text: str) -> list[Any]:
    return [sample for family in text_string_to_metric_families(text) for sample in family.samples]


class Daemon:
    """A daemon that was started."""

    def __init__(self, process: asyncio.subprocess.Process | nursery.Child, config: Path, pipe: LogPipe) -> None:
        self.process = process
        self.config = config
        self._pipe = pipe
        self.tolerated: set[str] = set()
        """Events that may be logged as errors."""
        self.address = ""
        self.started = 0.0
        """Steady seconds at which it had said that it started."""
        self._session: aiohttp.ClientSession | None = None

    @property
    def pid(self) -> int:
        """Of the daemon itself."""
        return self.process.pid

    async def up(self) -> None:
        """Return once it has started."""
        line = await self.logged("started")
        self.started = time.monotonic()
        self.address = line["listen"]

    @property
    def log(self) -> list[Line]:
        """Its log, with all that it wrote before its last answer."""
        return self._pipe.lines

    @property
    def noise(self) -> list[str]:
        """What else it wrote to stderr."""
        return self._pipe.noise

    async def logged(self, event: str, count: int = 1, within: float = PATIENCE, **fields: object) -> Line:
        """The `count`-th line of this event with these fields, once it is there."""
        await self._pipe.until(lambda: len(self.lines(event, **fields)) >= count, within)
        found = self.lines(event, **fields)
        assert len(found) >= count, f"{event} {fields} was not logged; this was: {self.log} {self.noise}"
        return found[count - 1]

    def lines(self, event: str, **fields: object) -> list[Line]:
        """The lines of this event with these fields so far."""
        return [line for line in self.log if line["event"] == event and fields.items() <= line.items()]

    @property
    def said(self) -> str:
        """All that it wrote."""
        return "\n".join([*(json.dumps(line, ensure_ascii=False) for line in self.log), *self.noise])

    # asking

    async def get(self, path: str, *, method: str = "GET", **options: Any) -> tuple[int, str]:
        """Status and body."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE))
        async with self._session.request(method, f"http://{self.address}{path}", **options) as answer:
            return answer.status, await answer.text()

    async def status(self) -> dict[str, Any]:
        """`/status.json`, the checks by name."""
        code, text = await self.get("/status.json")
        assert code == 200, text
        document: dict[str, Any] = json.loads(text)
        document["checks"] = {check["name"]: check for check in document["checks"]}
        return document

    async def checks(self) -> dict[str, dict[str, Any]]:
        """What `/status.json` says of every check."""
        found: dict[str, dict[str, Any]] = (await self.status())["checks"]
        return found

    async def detail(self, name: str) -> dict[str, Any]:
        """`/status/{check}.json`."""
        code, text = await self.get(f"/status/{name}.json")
        assert code == 200, text
        found: dict[str, Any] = json.loads(text)
        return found

    async def page(self) -> str:
        """The page, as HTML."""
        code, text = await self.get("/status", headers={"Accept": "text/html"})
        assert code == 200, text
        return text

    async def metrics(self) -> Metrics:
        """One scrape."""
        code, text = await self.get("/metrics")
        assert code == 200, text
        return Metrics(text)

    async def until_checks(self, accept: Callable[[dict[str, dict[str, Any]]], Any], within: float = PATIENCE) -> Any:
        """The checks, once they are as wanted."""
        return await eventually(self.checks, accept, within)

    async def until_all_ran(self, within: float = PATIENCE) -> dict[str, dict[str, Any]]:
        """The checks, once each has a result."""
        found: dict[str, dict[str, Any]] = await self.until_checks(
            lambda checks: checks and all(c["last"] for c in checks.values() if c["state"] != "paused"), within
        )
        return found

    async def until_metrics(self, accept: Callable[[Metrics], Any], within: float = PATIENCE) -> Metrics:
        """A scrape, once it is as wanted."""
        return await eventually(self.metrics, accept, within)

    # telling

    def signal(self, number: int) -> None:
        """Send a signal to the daemon and nothing else."""
        assert self.process.returncode is None
        os.kill(self.pid, number)

    def write(self, text: str) -> None:
        """Replace the configuration file, as editors do."""
        beside = self.config.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.config)

    async def reload(self, text: str | None = None) -> tuple[int, str]:
        """POST /-/reload, after the file was replaced if a text is given."""
        if text is not None:
            self.write(text)
        return await self.get("/-/reload", method="POST")

    async def ended(self, within: float = PATIENCE) -> int:
        """The exit code, once it has ended and all it wrote is read."""
        async with asyncio.timeout(within):
            code = await self.process.wait()
        await self._pipe.until(lambda: False, within)
        assert self._pipe.ended, "a process of it has not ended"
        return code

    async def stop(self) -> int:
        """End it by SIGTERM."""
        await self._hang_up()
        self.signal(signal.SIGTERM)
        return await self.ended()

    async def close(self) -> None:
        """End it whatever it does, and hold its log against what every log promises."""
        await self._hang_up()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # process.kill() would reap it before asyncio does
        await self.ended()
        errors = [line for line in self.log if line["level"] in ("error", "critical")]
        assert not [line for line in errors if line["event"] not in self.tolerated], errors
        assert not self.noise, self.noise

    async def _hang_up(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own environment without what steers the daemon."""
    kept = {k: v for k, v in os.environ.items() if k not in ("MONITOR_CONFIG", "NOTIFY_SOCKET", "WATCHDOG_USEC")}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"} | dict(extra or {})


async def launch(
    config: Path,
    *,
    listen: str | None = "127.0.0.1:0",
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = RUN,
    first: Path | None = None,
    fork_workers: bool = False,
) -> Daemon:
    """Start a daemon and do not wait for it; its workers run `first`, a sitecustomize.py, as well."""
    place = () if listen is None else ("--listen", listen)
    arguments = ("run", "-c", str(config), *place)
    pipe = LogPipe()
    process: asyncio.subprocess.Process | nursery.Child
    if program is RUN and nursery.takes(env or {}):
        variables, code = environment(env), ""
        if first:
            variables["PYTHONPATH"] = os.pathsep.join([str(first.parent), str(ROOT)])
            code = first.read_text()  # noqa: ASYNC240 - a few lines
        process = await nursery.start(arguments, variables, error=pipe.writing, first=code, fork_workers=fork_workers)
    else:
        process = await asyncio.create_subprocess_exec(
            *program, *arguments, env=environment(env), stdin=asyncio.subprocess.DEVNULL, stderr=pipe.writing
        )
    pipe.handed_over()
    return Daemon(process, config, pipe)


@contextlib.asynccontextmanager
async def running(config: Path, **options: Any) -> AsyncIterator[Daemon]:
    """A daemon that has started, ended when this is left."""
    daemon = await launch(config, **options)
    try:
        await daemon.up()
        yield daemon
    except BaseException:
        with contextlib.suppress(Exception, AssertionError):
            await daemon.close()
        raise
    else:
        await daemon.close()
