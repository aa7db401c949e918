"""The life of the daemon: start, reload, drain, stop; what is opened first is closed last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from monitor import __version__
from monitor.config import load
from monitor.history.memory import Memory
from monitor.live.events import Feed
from monitor.live.ledger import Ledger, Record, Transition
from monitor.live.retries import Retries
from monitor.live.run_now import RunNow
from monitor.live.staleness import Aging
from monitor.live.view import CheckView, ConfigView, MonitorView, Overview, count_states, overview, troubles, view_check
from monitor.metrics import CheckCollector, Overload, Registry, Vitals
from monitor.model.clock import system_clock
from monitor.model.errors import ConfigError, NoProbeNow, NoRunNow, Problem
from monitor.model.outcome import State
from monitor.model.result import Result
from monitor.model.route import HostPort
from monitor.model.settings import Configuration, PublicSpec, Sources
from monitor.protocols.resources import Net, prepared
from monitor.rules.due import due_times
from monitor.rules.maintenance import Plan, plans
from monitor.scheduling.engine import Engine
from monitor.scheduling.probing import Prober
from monitor.scheduling.runner import Drained
from monitor.scheduling.schedule import BEAT
from monitor.scheduling.workers import Pool
from monitor.secrets.redaction import Redactor
from monitor.stats.meters import Meter, WorkerMeter
from monitor.system import log
from monitor.system.file_watch import Watch
from monitor.system.process import descriptors_for_clients, settle_memory
from monitor.system.supervision import Turn
from monitor.system.systemd import Notifier, status_line
from monitor.system.turns import turns
from monitor.web import Asked, Entrance, Limits, Probed, build_app, serve

_log = structlog.get_logger("monitor.service")

_DRAINING = "draining"
_SILENT_SCHEDULER = 5.0
"""Seconds without a beat of the scheduler after which it is not healthy."""


class Service(Memory):
    """Everything together; what the web server shows and asks for (`monitor.web.Served`) is here."""

    def __init__(self, config: Configuration, listen: HostPort | None) -> None:
        self._config = config
        self._listen_option = listen
        self._loaded_at = self._started_at = system_clock().wall
        self._config_error: str | None = None
        self._sources = config.sources
        self._address = ""
        self._unready: str | None = "starting"
        self._reloading = asyncio.Lock()
        self._redactor = _redactor((config,))
        self._ledger = Ledger()
        super().__init__(config.monitor.history, self._ledger, self._tell)
        self.feed = Feed()
        self._registry = Registry(CheckCollector(self._ledger, system_clock))
        self._notifier = Notifier()
        self._engine = Engine(
            lambda name, result, runs, _: self._found(name, result, runs),
            config.monitor.max_concurrency,
            self._beat,
            self._notifier.beat_within(BEAT),
        )
        self._pool = Pool(config.monitor.workers, self._found) if config.monitor.workers else None
        self._vitals = Vitals(self._registry, __version__, self._meters, self._worker_meters, self.history_meter)
        self._overload = Overload(self._meters)
        self._prober = Prober(self._engine)
        self._run_now = RunNow(self._ledger, self._again)
        self._retries = Retries(self._ledger, self._again)
        self._entrance = Entrance(config.monitor)
        self._watch = Watch(self._watched, self.reload)
        self._aging = Aging(self._ledger, self._tell)
        self._opened = AsyncExitStack()

    # start

    async def start(self) -> None:
        """Starts every part. Raises StartError if the address cannot be bound."""
        async with self._reloading:  # a SIGHUP that comes now waits
            try:
                await self._start()
            except BaseException:
                await self._opened.aclose()
                raise
        self._unready = None
        self._notifier.ready(self._status())
        _log.info(
            "started", listen=self._address, checks=len(self._ledger), config=self._config.path, version=__version__
        )

    async def _start(self) -> None:
        log.hide(lambda: (self._redactor,))
        host, port = self._listen_option or self._config.monitor.listen
        app = build_app(self, self._registry, True, self._entrance.access, self._entrance.site)
        self._opened.callback(self._entrance.close)
        limits = Limits(connections=descriptors_for_clients())
        server = await serve(app, host, port or 0, limits, await self._entrance.prepared())
        self._opened.push_async_callback(server.close)
        self._address = server.address
        self._entrance.opened(server)
        self._engine.start()
        self._opened.callback(self._engine.stop)
        self._opened.callback(self._aging.stop)
        self._opened.callback(self._retries.stop)
        net = await prepared(self._config)
        if self._pool is not None:
            self._opened.push_async_callback(self._pool.stop)
            await self._pool.start(self._engine.epoch, self._config.monitor)
        await self._remember()
        await self._use(self._config, net)
        self._vitals.configuration_loaded(self._loaded_at)
        self._watch.start()
        self._opened.callback(self._watch.stop)
        settle_memory()

    async def _remember(self) -> None:
        """Restores the state of every check from the last process; must end before any check is due."""
        config = self._config
        planned = await asyncio.to_thread(plans, config.maintenance, config.checks)
        self._ledger.apply(config.checks, config.monitor, system_clock(), planned)
        self._opened.push_async_callback(self.forget)
        await self.remember()

    # reload

    async def reload(self) -> list[Problem]:
        """Load the file again and take over what changed; nothing changes while it has problems."""
        if self._unready == _DRAINING:
            return [Problem(self._config.path, 0, "", "not reloaded, the monitor is stopping")]
        async with self._reloading:
            self._notifier.reloading()
            try:
                config = await asyncio.to_thread(load, Path(self._config.path))
                net = await prepared(config)
            except ConfigError as error:
                self._sources = error.sources
                self._refuse(error.problems)
                return error.problems
            else:
                self._sources = config.sources
                await self._take_over(config, net)
                return []
            finally:
                self._notifier.ready(self._status())

    def _watched(self) -> Sources | None:
        """Returns the files that were loaded or refused last; None if reload_on_change is off."""
        return self._sources if self._config.monitor.reload_on_change else None

    def _refuse(self, problems: list[Problem]) -> None:
        first, *more = map(str, problems)
        self._config_error = first + (f" (and {len(more)} more)" if more else "")
        self._vitals.configuration_refused()
        _log.error("configuration not reloaded, the old one goes on", problems=[str(p) for p in problems])

    async def _take_over(self, config: Configuration, net: Net) -> None:
        old, self._config = self._config, config
        self._redactor = await asyncio.to_thread(_redactor, (old, config))  # runs of the old one may still end
        log.configure(config.monitor.log)
        if self._listen_option is None and config.monitor.listen != old.monitor.listen:
            _log.warning("a changed listen takes effect at the next restart", listen=self._address)
        if config.monitor.workers != old.monitor.workers:
            _log.warning("a changed number of workers takes effect at the next restart", workers=old.monitor.workers)
        await self._entrance.use(config.monitor)
        changed = await self._use(config, net)
        self._config_error = None
        self._loaded_at = system_clock().wall
        self._vitals.configuration_loaded(self._loaded_at)
        settle_memory()
        _log.info("configuration reloaded", checks=len(self._ledger), changed=changed)

    async def _use(self, config: Configuration, net: Net) -> int:
        """Run by this configuration from now on; a check that did not change does not notice. Says how many did."""
        planned = await asyncio.to_thread(plans, config.maintenance, config.checks)
        wanted = {spec.name: spec for spec in config.checks}
        changed = sum([wanted.get(record.spec.name) != record.spec async for record in turns(self._ledger)])
        self._prober.use(config, net)
        await asyncio.sleep(0)  # what is due meanwhile is not held up by thousands of checks
        self._run(config, net, planned)
        async for record in turns(self._ledger):
            spec = record.spec
            record.due_times = due_times(spec.name, spec.interval, self._engine.epoch) if spec.enabled else None
        return changed

    def _run(self, config: Configuration, net: Net, planned: Mapping[str, Plan]) -> None:
        """Applies the configuration without an await, so that no result of an old check meets a new one."""
        for record, transition in self._ledger.apply(config.checks, config.monitor, system_clock(), planned):
            self._tell(record, transition)
        self._aging.use(planned.values())
        self.keep(config.monitor.history, config.checks)
        here = config.checks if self._pool is None else ()
        self._engine.use(here, net, config.monitor.max_concurrency)
        if self._pool is not None:
            self._pool.use(config)

    # drain and stop

    async def stop(self) -> None:
        """Start nothing more, let what runs end within its limits, then close everything, last things first."""
        self._unready = _DRAINING
        self._notifier.stopping("draining")
        limit = self._config.monitor.drain_timeout
        drained, others = await asyncio.gather(self._engine.drain(limit), self._drain_workers(limit))
        running, cancelled = map(sum, zip(drained, *others, strict=True))
        self.feed.close()
        await self._opened.aclose()
        _log.info("stopped", drained=running - cancelled, cancelled=cancelled)

    async def _drain_workers(self, limit: float) -> list[Drained]:
        return await self._pool.drain(limit) if self._pool else []

    # what a run found

    def _found(self, name: str, result: Result, runs: int) -> None:
        record = self._ledger.get(name)
        if record is None:
            return  # removed while it ran
        if not result.conclusive:
            self._vitals.runs_inconclusive.labels(result.reason.value).inc(runs)
        now = system_clock()
        self._ledger.presence.seen(now)
        transition = record.add(result, now, runs)
        with Turn("retry"):
            self._retries.follow(record, now.steady)
        with Turn("result"):
            self._run_now.found(name, result)
        with Turn("history"):
            self.note(record, result, runs, now.wall)
        with Turn("live_feed"):
            self.feed.tell("result", name, now.wall, record.standing, record.last)
        if transition is not None:
            self._tell(record, transition)

    def _again(self, name: str) -> None:
        """Runs a check once more, soon."""
        if self._pool is None:
            self._engine.run_again([name])
        else:
            self._pool.run_again(name)

    def _meters(self) -> Iterable[Meter]:
        return (self._engine.meter, *(self._pool.meters() if self._pool else ()))

    def _worker_meters(self) -> Mapping[str, WorkerMeter]:
        return self._pool.workers() if self._pool else {}

    def _tell(self, record: Record, transition: Transition) -> None:
        """One line per change of state, none per run."""
        standing = transition.after
        with Turn("history"):
            self.moved(record, transition)
        with Turn("live_feed"):
            self.feed.tell("transition", record.spec.name, standing.since, standing, record.last)
        found = standing.conclusive
        write = _log.warning if standing.state is State.DOWN else _log.info
        write(
            "state changed",
            check=record.spec.name,
            state=standing.state.value,
            before=transition.before.state.value,
            why=view_check(record, system_clock()).reading,
            reason=found.reason.value if found else None,
            detail=found.detail if found else None,
        )

    def _beat(self) -> None:
        """Once a second, from the scheduler: a hung one stops this, and systemd restarts the service."""
        self._notifier.alive()
        self._ledger.presence.seen(system_clock())
        if self._pool is not None:
            with Turn("worker"):
                self._pool.beat()
        with Turn("aging"):
            self._aging.beat()
        if self._notifier.listened_to:
            with Turn("notify"):
                self._notifier.status(self._status())
        self._overload.look(system_clock().steady)

    def _status(self) -> str:
        return status_line(count_states(record.standing.state for record in self._ledger), self._config_error)

    # what the web server shows

    async def overview(self) -> Overview:
        """Everything as it stands now."""
        return await overview(self._ledger, self.monitor(), system_clock())

    def check(self, name: str) -> CheckView | None:
        """One check as it stands now, None if there is no such check."""
        record = self._ledger.get(name)
        return None if record is None else view_check(record, system_clock())

    def monitor(self) -> MonitorView:
        """The monitor itself."""
        config = ConfigView(self._config.path, self._loaded_at, self._config_error)
        title = self._config.monitor.title
        ours = (self._overload.trouble(), self.forgetful)
        suffered = (*filter(None, ours), *troubles(self._ledger), *self._entrance.troubles)
        return MonitorView(__version__, title, self._started_at, self._address, config, suffered)

    async def probe(self, asked: Asked) -> Probed:
        """Runs the check for a request of `/probe`. Raises ProbeError if it is not allowed or not possible."""
        if self._unready is not None:
            raise NoProbeNow(f"the monitor is {self._unready}")
        return await self._prober.probe(asked)

    def public(self) -> PublicSpec:
        """Returns the settings for outsiders."""
        return self._config.monitor.public

    def cors_origins(self) -> tuple[str, ...]:
        """The sites whose scripts may read the API."""
        return self._config.monitor.cors_origins

    async def run_now(self, check: str) -> Result | None:
        """Run a check once more, outside of its schedule, and record what it finds; None if it is not configured.

        Raises NoRunNow, with the reason in a sentence, if it is paused, under way, or was asked for too often.
        """
        if self._unready is not None:
            raise NoRunNow(f"the monitor is {self._unready}")
        return await self._run_now.run(check)

    def unhealthy(self) -> str | None:
        """Returns why the monitor should be restarted; None if it is healthy."""
        if self._unready is not None:
            return None
        if self._engine.silence > _SILENT_SCHEDULER:
            return f"the scheduler has not run for {self._engine.silence:.0f} s"
        return self._pool.unhealthy() if self._pool else None

    def unready(self) -> str | None:
        """Returns why clients should not rely on the monitor now; None if it is ready."""
        return self._unready


def _redactor(configurations: Iterable[Configuration]) -> Redactor:
    return Redactor(frozenset().union(*(config.secrets for config in configurations))).prepare()
