"""Probe workers: processes of their own whose loop does nothing but schedule and probe."""

from monitor.scheduling.workers.pool import Pool

__all__ = ["Pool"]
