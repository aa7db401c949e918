"""The life of the daemon: start, reload, drain, stop; what is opened first is closed last."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from monitor import __version__
from monitor.config import load
from monitor.history.optional import OptionalHistory
from monitor.live.events import EventBus
from monitor.live.ledger import Ledger
from monitor.live.lifecycle import Lifecycle
from monitor.live.recorder import Recorder
from monitor.live.retries import Retries
from monitor.live.run_now import RunNow
from monitor.live.staleness import Aging
from monitor.live.transition_log import TransitionLog
from monitor.live.view import count_states
from monitor.metrics import CheckCollector, Overload, Registry, Vitals
from monitor.model.clock import Clock, system_clock
from monitor.model.errors import ConfigError, Problem
from monitor.model.route import HostPort
from monitor.model.settings import Configuration, Sources
from monitor.protocols.resources import Resources, prepared
from monitor.rules.due import due_times
from monitor.rules.maintenance import Plan, plans
from monitor.scheduling.execution import Execution
from monitor.scheduling.schedule import BEAT
from monitor.secrets.redaction import Redactor
from monitor.system import log
from monitor.system.file_watch import Watch
from monitor.system.process import descriptors_for_clients, settle_memory
from monitor.system.supervision import Turn
from monitor.system.systemd import Notifier, status_line
from monitor.system.turns import turns
from monitor.web import Backend, Entrance, Limits, build_app, serve

_log = structlog.get_logger("monitor.service")


class Service:
    """Owns all parts."""

    def __init__(self, config: Configuration, listen: HostPort | None, clock: Clock = system_clock) -> None:
        self._clock = clock
        monitor = config.monitor
        self._listen_option = listen
        self._sources = config.sources
        self._redactor = _redactor((config,))
        self._reloading = asyncio.Lock()
        self._opened = AsyncExitStack()
        self._lifecycle = Lifecycle(config, clock)
        self._notifier = Notifier()
        self._ledger = Ledger(clock())
        self._bus = EventBus()
        recorder = Recorder(self._ledger, self._bus, clock)
        self._execution = Execution(monitor, recorder.on_result, self._beat, self._notifier.beat_within(BEAT), clock)
        self._history = OptionalHistory(monitor.history, self._ledger, self._bus, clock)
        self._aging = Aging(self._ledger, self._bus, clock)
        self._retries = Retries(self._ledger, self._execution.run_again)
        run_now = RunNow(self._ledger, self._execution.run_again)
        self._registry = Registry(CheckCollector(self._ledger, clock))
        meters, workers = self._execution.meters, self._execution.worker_meters
        self._vitals = Vitals(self._registry, __version__, meters, workers, self._history.meter)
        self._overload = Overload(meters)
        self._entrance = Entrance(monitor)
        self._watch = Watch(self._watched, self.reload)
        self._bus.on_result("result", self._vitals.on_result)
        self._bus.on_result("retry", self._retries.on_result)
        self._bus.on_result("result", run_now.on_result)
        self._bus.on_transition("log", TransitionLog(self._ledger, clock).on_transition)
        self.backend = Backend(
            lifecycle=self._lifecycle,
            ledger=self._ledger,
            bus=self._bus,
            history=self._history,
            requested=run_now,
            overload=self._overload,
            entrance=self._entrance,
            prober=self._execution.prober.probe,
            health=self._execution.unhealthy,
            loader=self.reload,
            now=clock,
        )

    @property
    def address(self) -> str:
        """The address that is listened on, once everything is up."""
        return self._lifecycle.address

    # start

    async def start(self) -> None:
        """Starts every part. Raises StartError if the address cannot be bound."""
        async with self._reloading:  # a SIGHUP that comes now waits
            try:
                await self._start(self._lifecycle.config)
            except BaseException:
                await self._opened.aclose()
                raise
        self._lifecycle.ready()
        self._notifier.ready(self._status())
        path = self._lifecycle.config.path
        _log.info("started", listen=self.address, checks=len(self._ledger), config=path, version=__version__)

    async def _start(self, config: Configuration) -> None:
        log.hide(lambda: (self._redactor,))
        await self._listen(config)
        self._opened.callback(self._aging.stop)
        self._opened.callback(self._retries.stop)
        self._opened.push_async_callback(self._execution.stop)
        await self._execution.start(config.monitor)
        resources = await prepared(config)
        await self._restore(config)
        await self._use(config, resources)
        self._vitals.configuration_loaded(self._lifecycle.loaded_at)
        self._watch.start()
        self._opened.callback(self._watch.stop)
        settle_memory()

    async def _listen(self, config: Configuration) -> None:
        host, port = self._listen_option or config.monitor.listen
        app = build_app(self.backend, self._registry, True, self._entrance.access, self._entrance.site)
        self._opened.callback(self._entrance.close)
        limits = Limits(connections=descriptors_for_clients())
        server = await serve(app, host, port or 0, limits, await self._entrance.prepared())
        self._opened.push_async_callback(server.close)
        self._lifecycle.address = server.address
        self._entrance.opened(server)

    async def _restore(self, config: Configuration) -> None:
        """Restores the state of every check from the last process; must end before any check is due."""
        planned = await asyncio.to_thread(plans, config.maintenance, config.checks)
        self._ledger.apply(config.checks, config.monitor, self._clock(), planned)
        self._opened.push_async_callback(self._history.stop)
        await self._history.start()

    # reload

    async def reload(self) -> list[Problem]:
        """Loads the file again and takes over what changed; nothing changes while it has problems."""
        path = self._lifecycle.config.path
        if self._lifecycle.draining:
            return [Problem(path, 0, "", "not reloaded, the monitor is stopping")]
        async with self._reloading:
            self._notifier.reloading()
            try:
                config = await asyncio.to_thread(load, Path(path))
                resources = await prepared(config)
            except ConfigError as error:
                self._sources = error.sources
                self._refuse(error.problems)
                return error.problems
            else:
                self._sources = config.sources
                await self._take_over(config, resources)
                return []
            finally:
                self._bus.reloads += 1
                self._notifier.ready(self._status())

    def _watched(self) -> Sources | None:
        """Returns the files that were loaded or refused last; None if reload_on_change is off."""
        return self._sources if self._lifecycle.config.monitor.reload_on_change else None

    def _refuse(self, problems: list[Problem]) -> None:
        self._lifecycle.refused(problems)
        self._vitals.configuration_refused()
        _log.error("configuration not reloaded, the old one goes on", problems=[str(p) for p in problems])

    async def _take_over(self, config: Configuration, resources: Resources) -> None:
        old = self._lifecycle.config
        self._redactor = await asyncio.to_thread(_redactor, (old, config))  # runs of the old one may still end
        log.configure(config.monitor.log)
        if self._listen_option is None and config.monitor.listen != old.monitor.listen:
            _log.warning("a changed listen takes effect at the next restart", listen=self.address)
        if config.monitor.workers != old.monitor.workers:
            _log.warning("a changed number of workers takes effect at the next restart", workers=old.monitor.workers)
        await self._entrance.use(config.monitor)
        changed = await self._use(config, resources)
        self._lifecycle.loaded(config)
        self._vitals.configuration_loaded(self._lifecycle.loaded_at)
        settle_memory()
        _log.info("configuration reloaded", checks=len(self._ledger), changed=changed)

    async def _use(self, config: Configuration, resources: Resources) -> int:
        """Runs by this configuration from now on; a check that did not change does not notice. Says how many did."""
        planned = await asyncio.to_thread(plans, config.maintenance, config.checks)
        wanted = {spec.name: spec for spec in config.checks}
        changed = sum([wanted.get(record.spec.name) != record.spec async for record in turns(self._ledger)])
        self._execution.prober.use(config, resources)
        await asyncio.sleep(0)  # what is due meanwhile is not held up by thousands of checks
        self._run(config, resources, planned)
        epoch = self._execution.epoch
        async for record in turns(self._ledger):
            spec = record.spec
            record.due_times = due_times(spec.name, spec.interval, epoch) if spec.enabled else None
        return changed

    def _run(self, config: Configuration, resources: Resources, planned: Mapping[str, Plan]) -> None:
        """Applies the configuration without an await, so that no result of an old check meets a new one."""
        for transition in self._ledger.apply(config.checks, config.monitor, self._clock(), planned):
            self._bus.transition(transition)
        self._aging.use(planned.values())
        self._history.use(config.monitor.history)
        self._execution.use(config, resources)

    # drain and stop

    async def stop(self) -> None:
        """Starts nothing more, lets what runs end within its limits, then closes everything, last things first."""
        self._lifecycle.drain()
        self._notifier.stopping("draining")
        drained = await self._execution.drain(self._lifecycle.config.monitor.drain_timeout)
        self._bus.close()
        await self._opened.aclose()
        _log.info("stopped", drained=drained.running - drained.cancelled, cancelled=drained.cancelled)

    # meanwhile

    def _beat(self) -> None:
        """Once a second, from the scheduler: a hung one stops this, and systemd restarts the service."""
        self._notifier.alive()
        now = self._clock()
        self._ledger.presence.seen(now)
        self._execution.beat()
        with Turn("aging"):
            self._aging.beat()
        if self._notifier.listened_to:
            with Turn("notify"):
                self._notifier.status(self._status())
        self._overload.look(now.steady)

    def _status(self) -> str:
        states = count_states(record.standing.state for record in self._ledger)
        return status_line(states, self._lifecycle.config_error)


def _redactor(configurations: Iterable[Configuration]) -> Redactor:
    return Redactor(frozenset().union(*(config.secrets for config in configurations))).prepare()
