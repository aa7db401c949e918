"""An endpoint health monitor: checks on time, says why, and never blames a target for its own trouble."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("endpoint-monitor")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0.0.0"
