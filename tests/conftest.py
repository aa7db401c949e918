"""What holds for every test: a daemon that it starts keeps its history in a folder of the test's own."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.order import rank
from tests.servers import certs
from tests.starvation import Starvation

signal.signal(signal.SIGINT, signal.default_int_handler)  # `make test &` ignores it, and so would each program started
gc.disable()  # until all tests are collected: nothing of that is garbage, and looking for it takes a sixth of the time
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # hundreds of processes are started: compiling costs each half a second
os.environ["STATE_DIRECTORY"] = tempfile.mkdtemp(prefix="monitor-tests-")  # for what lives longer than a test

EXAMPLES = 30 * int(os.environ.get("FUZZ", "1"))
"""Other ones in each run: what few of them do not find today, they find in another one."""
settings.register_profile("loaded", deadline=None, max_examples=EXAMPLES)  # a time of one says how busy the machine is
settings.load_profile("loaded")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The order of `tests.order` in place of the usual one."""
    from tests.together import Together  # xdist is not everywhere where tests are

    config.option.loadscopereorder = False
    return Together(config, log) if config.option.dist == "load" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long first."""
    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """Keep the collector from what pytest holds, as the daemon does: one look at it all takes a third of a second."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def outer_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment from outside. For tests and daemons the system trusts one authority, which signs nothing.

    Reading the hundred and more of a real system takes 50 ms, for each of thousands of contexts.
    """
    outer, folder = dict(os.environ), tmp_path_factory.mktemp("trust")
    certs.nobody().cert_pem.write_to_path(str(folder / "ca.pem"))
    os.environ |= {"SSL_CERT_FILE": str(folder / "ca.pem"), "SSL_CERT_DIR": str(folder)}
    return outer


@pytest.fixture
def starvation() -> Starvation:
    """What the machine has kept this process from since the test began; a bound on a time adds it."""
    return Starvation()


@pytest.fixture(scope="session")
def empty_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same folder again and again, until a test has left something in it: few of thousands do."""

    def folders() -> Iterator[Path]:
        while True:
            folder = tmp_path_factory.mktemp("state")
            while not any(folder.iterdir()):
                yield folder

    return folders()


@pytest.fixture(autouse=True)
def state_directory(empty_folders: Iterator[Path]) -> Iterator[Path]:
    """Where the history is, as under systemd."""
    outer, folder = os.environ["STATE_DIRECTORY"], next(empty_folders)
    os.environ["STATE_DIRECTORY"] = str(folder)
    yield folder
    os.environ["STATE_DIRECTORY"] = outer
