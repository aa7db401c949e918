"""`monitor.reload_on_change`: every way that files change leads to exactly one reload, and nothing else does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.system import file_watch as watch
from tests.servers import certs
from tests.system.daemon import BRISK, REFUSED, RELOADED, Daemon, Volume, checks, running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "checks.toml"
    path.write_text(checks("old"))
    return path


def write_in_place(path: Path, text: str) -> None:
    path.write_text(text)


def write_below_a_new_directory(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)


def delete(path: Path) -> None:
    path.unlink()


def touch(path: Path) -> None:
    path.touch()


def rename_over(path: Path, text: str) -> None:
    beside = path.with_name(".checks.toml.swp")
    beside.write_text(text)
    beside.replace(path)


def move_away_and_write(path: Path, text: str) -> None:
    """As vi does with `backupcopy=no`."""
    path.rename(path.with_name("checks.toml~"))
    path.write_text(text)


def of_the_same_size_and_time(path: Path, text: str) -> None:
    """As `rsync --times` and unpacked archives have it."""
    before = path.stat()
    assert before.st_size == len(text)
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("change", [write_in_place, rename_over, move_away_and_write, of_the_same_size_and_time])
async def test_a_changed_file_is_loaded_once(config: Path, change: Callable[[Path, str], None]) -> None:
    async with running(config) as daemon:
        change(config, checks("new"))
        await daemon.loaded(RELOADED)
        assert await daemon.title() == "new"
        await daemon.quiet(3 * BRISK)


async def test_the_swap_of_a_config_map_is_loaded_once(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config", checks__toml=checks("old"))
    async with running(volume.place / "checks.toml") as daemon:
        volume.swap(checks__toml=checks("new"))
        await daemon.loaded(RELOADED)
        assert await daemon.title() == "new"
        volume.swap(checks__toml=checks("newer"))
        await daemon.loaded(RELOADED, RELOADED)
        assert await daemon.title() == "newer"
        await daemon.quiet(3 * BRISK)


async def test_fifty_swaps_in_a_row_end_in_the_content_of_the_last(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config", checks__toml=checks("old"))
    async with running(volume.place / "checks.toml", period=watch.PERIOD) as daemon:
        for number in range(50):
            volume.swap(checks__toml=checks(f"swap-{number}"))
            await asyncio.sleep(0.05)
        await daemon.logged(RELOADED)
        await daemon.quiet(3 * BRISK)
        assert await daemon.title() == "swap-49"
        assert set(daemon.loads) == {RELOADED}
        assert len(daemon.loads) < 5, "files that do not hold still are not loaded"


async def test_a_swap_of_a_secret_in_another_directory_changes_its_check(tmp_path: Path) -> None:
    secrets = Volume(tmp_path / "secrets", token="hunter2-old")
    use = 'auth = { bearer = { file = "../secrets/token" } }\n'
    config = Volume(tmp_path / "config", checks__toml=checks("shop", use))
    async with running(config.place / "checks.toml") as daemon:
        secrets.swap(token="hunter2-new")
        line = await daemon.logged(RELOADED)
        assert line["changed"] == 1
        assert "hunter2" not in str(daemon.log)


async def test_a_swap_of_an_authority_changes_its_check(tmp_path: Path) -> None:
    authority, stranger = (ca().cert_pem.bytes().decode() for ca in (certs.authority, certs.stranger))
    volume = Volume(tmp_path / "ca", ca__crt=authority)
    config = tmp_path / "config" / "checks.toml"
    write_below_a_new_directory(config, checks("shop", f'tls.ca_file = "{volume.place}/ca.crt"\n'))
    async with running(config) as daemon:
        volume.swap(ca__crt=stranger)
        line = await daemon.logged(RELOADED)
        assert line["changed"] == 1


async def test_a_deleted_file_is_a_refused_reload_until_it_is_back(config: Path) -> None:
    async with running(config) as daemon:
        delete(config)
        await daemon.loaded(REFUSED)
        assert "there is no such file" in (await daemon.error() or "")
        assert await daemon.title() == "old"
        write_in_place(config, checks("old"))
        await daemon.loaded(REFUSED, RELOADED)
        assert await daemon.error() is None


async def test_a_broken_file_leaves_the_old_one_in_force_and_the_daemon_healthy_until_it_is_mended(
    config: Path,
) -> None:
    async with running(config) as daemon:
        write_in_place(config, checks("broken", "interval = nonsense\n"))
        await daemon.loaded(REFUSED)
        assert f"{config}:7: " in (await daemon.error() or "")
        assert await daemon.title() == "old"
        for path in ("/-/healthy", "/-/ready"):
            assert (await daemon.get(path))[0] == 200, "a probe must not kill a monitor for a mistake in its file"
        await daemon.quiet(2 * BRISK)
        write_in_place(config, checks("mended"))
        await daemon.loaded(REFUSED, RELOADED)
        assert (await daemon.title(), await daemon.error()) == ("mended", None)


async def test_a_secret_that_was_missing_mends_a_refused_reload_when_it_comes(config: Path) -> None:
    async with running(config) as daemon:
        write_in_place(config, checks("new", 'auth = { bearer = { file = "late/token" } }\n'))
        await daemon.loaded(REFUSED)
        write_below_a_new_directory(config.parent / "late" / "token", "hunter2")
        await daemon.loaded(REFUSED, RELOADED)
        assert await daemon.title() == "new"


async def test_half_a_file_is_not_loaded(config: Path) -> None:
    """Every half is a broken file; whoever loaded one would have logged that."""
    async with running(config, period=watch.PERIOD) as daemon:
        whole = checks("new")
        for end in range(0, len(whole), len(whole) // 20):
            write_in_place(config, whole[:end])
            await asyncio.sleep(watch.PERIOD / 10)
        write_in_place(config, whole)
        await daemon.loaded(RELOADED)
        assert await daemon.title() == "new"


async def test_a_file_that_never_holds_still_is_loaded_all_the_same(config: Path) -> None:
    async with running(config) as daemon:
        for number in range(100):
            rename_over(config, checks(f"new-{number}"))
            if daemon.loads:
                break
            await asyncio.sleep(BRISK / 2)
        assert daemon.loads == [RELOADED]


async def test_nothing_is_loaded_while_nothing_changes_but_times(config: Path) -> None:
    async with running(config) as daemon:
        await daemon.quiet(3 * BRISK)
        touch(config)
        rename_over(config, checks("old"))
        await daemon.quiet(3 * BRISK)


async def test_a_change_that_was_reloaded_by_hand_is_not_loaded_again(config: Path) -> None:
    async with running(config) as daemon:
        write_in_place(config, checks("new"))
        assert await daemon.get("/-/reload", "POST") == (200, "reloaded\n")
        await daemon.quiet(4 * BRISK)
        assert daemon.loads == [RELOADED]


async def test_watching_is_switched_on_and_off_by_a_reload(config: Path) -> None:
    write_in_place(config, checks("unwatched", watched=False))
    async with running(config) as daemon:
        write_in_place(config, checks("on"))
        await daemon.quiet(3 * BRISK)
        daemon.process.send_signal(signal.SIGHUP)
        await daemon.loaded(RELOADED)
        write_in_place(config, checks("off", watched=False))
        await daemon.loaded(RELOADED, RELOADED)
        write_in_place(config, checks("unseen"))
        await daemon.quiet(3 * BRISK)
        assert await daemon.title() == "off"


async def test_a_pipe_is_left_alone(tmp_path: Path, config: Path) -> None:
    """To read it again would take what is not there, or wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    write_in_place(config, checks("piped", 'auth = { bearer = { file = "pipe" } }\n'))
    async with starting_with(pipe, b"hunter2", config) as daemon:
        await daemon.quiet(3 * BRISK)
        assert (await daemon.get("/-/healthy"))[0] == 200


class starting_with:  # noqa: N801  # used as a context manager
    """A daemon that is fed this by a pipe while it starts."""

    def __init__(self, pipe: Path, content: bytes, config: Path) -> None:
        self._feeding = asyncio.create_task(asyncio.to_thread(pipe.write_bytes, content))
        self._running = running(config)

    async def __aenter__(self) -> Daemon:
        daemon = await self._running.__aenter__()
        await self._feeding
        return daemon

    async def __aexit__(self, *raised: object) -> None:
        await self._running.__aexit__(*raised)  # type: ignore[arg-type]
