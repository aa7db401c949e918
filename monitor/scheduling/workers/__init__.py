"""Probe workers: processes of their own whose loop does nothing but schedule and probe."""

from monitor.scheduling.workers.pool import OnResult, Pool

__all__ = ["OnResult", "Pool"]
