"""An endpoint health monitor: checks on time, says why, and never blames a target for its own trouble."""

__version__ = "0.1.0"
