"""The path of a check back to back: a runner, its checks and their records, and nothing that schedules or serves.

Run as a program (`saturate.py URL CA_FILE SECONDS`) it prints what it used as JSON. It imports nothing of tests.bench,
so that it can measure the `monitor` package of another checkout.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

from monitor.live.ledger import Ledger
from monitor.model.clock import system_clock
from monitor.model.outcome import Reason
from monitor.model.result import Result
from monitor.model.route import FileRef, Route, TlsSpec
from monitor.model.settings import MonitorSpec
from monitor.model.spec import CheckSpec
from monitor.protocols.resources import Resources
from monitor.scheduling.runner import Runner
from monitor.scheduling.schedule import Job
from monitor.scheduling.stall import Watchdog
from monitor.stats.meters import Meter
from monitor.system.process import new_event_loop, settle_memory

LANES = 8
"""Runs in flight."""
_WARM_UP = 1.0


@dataclass
class Treadmill:
    """Two checks per lane that take turns: the end of a run starts the other's, so that no check overlaps itself."""

    url: str
    ca_file: str
    runs: int = 0
    failures: list[str] = field(default_factory=list)
    _stopped: bool = False

    async def run(self, seconds: float) -> tuple[float, int]:
        """CPU seconds and runs in so many seconds, after a second to warm up."""
        runner, jobs = self._built()
        settle_memory()
        for job in jobs[:LANES]:
            runner.due(job, time.monotonic(), 0)
        await asyncio.sleep(_WARM_UP)
        cpu, runs = time.process_time(), self.runs
        await asyncio.sleep(seconds)
        measured = time.process_time() - cpu, self.runs - runs
        self._stopped = True
        await runner.drain(5.0)
        if self.failures:
            raise SystemExit(f"{len(self.failures)} runs failed, the first one: {self.failures[0]}")
        return measured

    def _built(self) -> tuple[Runner, list[Job]]:
        tls = TlsSpec(ca_file=FileRef(self.ca_file, "bench"))
        specs = [CheckSpec(f"check-{n}", self.url, self.url, route=Route(tls=tls)) for n in range(2 * LANES)]
        ledger = Ledger()
        ledger.apply(specs, MonitorSpec(), system_clock())
        jobs = [Job(spec) for spec in specs]
        names = [spec.name for spec in specs]
        partner = dict(zip(names, jobs[LANES:] + jobs[:LANES], strict=True))
        loop = asyncio.get_running_loop()
        meter = Meter()
        watchdog = Watchdog(meter.event_loop_lag.observe)
        watchdog.start()

        def found(name: str, result: Result, runs: int, _until: float | None) -> None:
            record = ledger.get(name)
            assert record is not None
            record.add(result, system_clock(), runs)
            self.runs += 1
            if self._stopped:
                return
            if result.reason is not Reason.OK:
                self.failures.append(result.detail)
            loop.call_soon(runner.due, partner[name], time.monotonic(), 0)

        resources = Resources()
        resources.prepare(specs)
        limit = MonitorSpec().max_concurrency
        runner = Runner(resources, limit=limit, descriptors=limit, watchdog=watchdog, meter=meter, on_run=found)
        return runner, jobs


def run(url: str, ca_file: str, seconds: float) -> tuple[float, int]:
    """CPU seconds and runs in so many seconds, on the event loop that the daemon uses."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(Treadmill(url, ca_file).run(seconds))


if __name__ == "__main__":
    used, ended = run(sys.argv[1], sys.argv[2], float(sys.argv[3]))
    json.dump({"cpu_seconds": used, "runs": ended}, sys.stdout)
