"""The command `monitor`: each subcommand reads its options here and imports what does the work only when it runs.

Exit codes: 0 fine · 1 a check failed · 2 bad usage or configuration · 3 no check failed, but at least one found
nothing out (the monitor's own trouble; the «unknown» of Nagios plugins) · 70 a bug, with its traceback · 130 Ctrl-C ·
141 the reader of the output went away.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from monitor import __version__
from monitor.migrate.cli import commands as imports
from monitor.model.errors import ConfigError, MonitorError
from monitor.terminal.configuration import DEFAULT_CONFIG, configuration_path
from monitor.terminal.options import probe_options, with_suggestion
from monitor.terminal.team import COMMANDS

if TYPE_CHECKING:
    from monitor.model.result import Result
    from monitor.model.route import HostPort
    from monitor.model.settings import Configuration


FAILED = 1
USAGE = 2
INCONCLUSIVE = 3
BUG = 70  # EX_SOFTWARE of sysexits.h
INTERRUPTED = 130
CLOSED_PIPE = 141

_EXIT_CODES = """\b
Exit codes:  0  fine
             1  a check failed
             2  bad usage or configuration
             3  none failed, but one or more found nothing out
"""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(_exit_code())


def config_option(use: str = f"; $MONITOR_CONFIG or ./{DEFAULT_CONFIG} unless given") -> Callable[[_Command], _Command]:
    """`-c/--config FILE`, which stands before the subcommand as well as after it."""
    return click.option("-c", "--config", metavar="FILE", help=f"The configuration{use}.")


class _Group(click.Group):
    """Our subcommands; click itself would end with the code for a failed check when the output's reader goes away."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            ctx.exit(_closed_pipe())


@click.group(cls=_Group, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="monitor", message="%(prog)s %(version)s")
@config_option()
@click.pass_context
def commands(context: click.Context, config: str | None) -> None:
    """Check HTTP endpoints on time, and say why when one fails."""
    context.obj = config


_listen_option = click.option(
    "--listen",
    metavar="HOST:PORT",
    callback=lambda _context, _option, value: _address(value),
    help="Serve page and metrics here instead; port 0 takes a free one.",
)


@commands.command()
@config_option()
@_listen_option
@click.pass_context
def run(context: click.Context, config: str | None, listen: HostPort | None) -> int:
    """Run the daemon.

    SIGHUP reloads the configuration; SIGTERM and SIGINT let running checks end, a second one stops at once.
    """
    from monitor import daemon

    return daemon.run(configuration_path(context, config), listen)


@commands.command()
@config_option()
@click.pass_context
def validate(context: click.Context, config: str | None) -> int:
    """Say every problem of the configuration at once."""
    try:
        configuration = _load(configuration_path(context, config), strict=True)
    except ConfigError as error:
        click.echo(_problems(error))
        return USAGE
    click.echo(f"{_counted(len(configuration.checks), 'check')}, no problems")
    return 0


@commands.command()
@config_option()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per result, as each ends.")
@click.pass_context
def check(context: click.Context, config: str | None, names: tuple[str, ...], as_json: bool) -> int:
    """Run the named checks, or all enabled ones, once and now."""
    from monitor.terminal import several

    configuration = _load(configuration_path(context, config))
    show = several.as_json if as_json else several.as_table
    return _verdict(show(configuration, several.chosen(configuration, names)))


@commands.command()
@config_option(", read only if it is named here; its deny_addresses hold then")
@click.argument("url")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@probe_options
@click.pass_context
def probe(context: click.Context, /, config: str | None, url: str, as_json: bool, **options: Any) -> int:
    """Check a URL once, and show where its time went."""
    from monitor.model.settings import MonitorSpec
    from monitor.terminal import single
    from monitor.terminal.request import check_of

    named = config or context.obj
    monitor = _load(Path(named)).monitor if named else MonitorSpec()
    show = single.as_json if as_json else single.as_report
    return _verdict([show(check_of(url, options, context.command), monitor.deny_addresses)])


@commands.command()
@config_option(", which is not read")
def schema(**_: Any) -> int:
    """Print the JSON Schema of the configuration file, for editors."""
    from monitor.config import schema as document
    from monitor.terminal.documents import print_json

    print_json(document(), indent=2)
    return 0


@commands.command("hash-password")
@config_option(", which is not read")
def hash_password(**_: Any) -> int:
    """Read a password, at a prompt or from standard input, and print the hash of it for checks.toml.

    It is no argument: arguments stay in the shell's history, and every process of the machine can read them.
    """
    from monitor.secrets.passwords import hashed

    if sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt="Once more", err=True)
    else:
        password = sys.stdin.buffer.readline().decode("utf-8", "surrogateescape").rstrip("\r\n")
    if not password:
        raise click.UsageError("there is no password on standard input")
    click.echo(hashed(password))
    return 0


@commands.command()
@config_option(", which is not read")
@_listen_option
@click.argument("groups", metavar="[GROUP]...", nargs=-1)
def demo(listen: HostPort | None, groups: tuple[str, ...], **_: Any) -> int:
    """Watch targets of our own that misbehave in every way there is a word for, all of them or those of some groups."""
    from monitor.demo import command

    return command.run(listen, groups)


commands.add_command(imports)
for _command in COMMANDS:
    commands.add_command(_command)


def _exit_code() -> int:
    """Runs the command; only an internal error ends in a traceback."""
    try:
        _tolerate_any_text()
        code = commands.main(prog_name="monitor", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except MonitorError as error:
        click.echo(_said(error), err=True)
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _closed_pipe()
    except Exception:  # noqa: BLE001 - the interpreter would show it as well, but exit with the code for a failed check
        traceback.print_exc()
        return BUG
    return int(code or 0)


def _tolerate_any_text() -> None:
    """A name that the terminal's encoding lacks is shown escaped, not as a UnicodeEncodeError."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _closed_pipe() -> int:
    """Discards all further output, including the interpreter's last flush: the reader has closed the pipe."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE


def _said(error: MonitorError) -> str:
    if isinstance(error, ConfigError):
        return _problems(error)
    return "\n".join(f"monitor: {line}" for line in str(error).splitlines())


def _problems(error: ConfigError) -> str:
    """One line for each problem, then their count."""
    lines = [" ".join(str(problem).splitlines()) for problem in error.problems]
    return "\n".join([*lines, _counted(len(lines), "problem")])


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _load(path: Path, *, strict: bool = False) -> Configuration:
    from monitor.config import load

    return load(path, strict=strict)


def _address(text: str | None) -> HostPort | None:
    """The value of --listen."""
    from monitor.keys.addresses import listen
    from monitor.keys.bad_value import BadValueError

    try:
        return None if text is None else listen(text)
    except BadValueError as wrong:
        raise click.BadParameter(with_suggestion(wrong.message, wrong.suggestion)) from None


def _verdict(results: Iterable[Result]) -> int:
    """The exit code; a run that found nothing out must not look fine to a script, nor like a failure of the target."""
    found = list(results)
    if any(result.failed for result in found):
        return FAILED
    return 0 if all(result.conclusive for result in found) else INCONCLUSIVE
