"""An endpoint health monitor: checks on time, says why, and never blames a target for its own trouble."""


def __getattr__(name: str) -> str:
    """Returns `__version__`; reads it only on demand, as that takes half as long as `monitor --help`."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("endpoint-monitor")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "0.0.0"
