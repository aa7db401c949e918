"""The commands that ask a running daemon: what was, and what the team says and takes care of."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from monitor.terminal.remote import Daemon

_Command = TypeVar("_Command", bound=Callable[..., Any])
_ACCEPT = {"csv": "text/csv", "markdown": "text/markdown", "json": "application/json"}
_FILE = click.Path(path_type=Path)


def asks_daemon(command: _Command) -> _Command:
    """Adds the options that select a daemon."""
    for option in (
        click.option("--ca-file", metavar="FILE", type=_FILE, help="PEM file of the authority of its certificate."),
        click.option("--token-file", metavar="FILE", type=_FILE, help="A file with a token; else $MONITOR_TOKEN."),
        click.option("--url", metavar="URL", help="Where the daemon is; that of the configuration unless given."),
        click.option("-c", "--config", metavar="FILE", help="The configuration, for where the daemon listens."),
    ):
        command = option(command)
    return command


def _daemon(context: click.Context, options: dict[str, Any]) -> Daemon:
    """Returns the daemon that the options of `asks_daemon` select."""
    from monitor.config import load
    from monitor.terminal.configuration import configuration_path
    from monitor.terminal.remote import Daemon, place

    config, url = options.pop("config"), options.pop("url")
    token_file, ca_file = options.pop("token_file"), options.pop("ca_file")
    url = url.rstrip("/") if url else place(load(configuration_path(context, config)).monitor)
    if not url.startswith(("http://", "https://")):
        raise click.BadParameter("must be an http or https URL", param_hint="--url")
    return Daemon(url, _token(token_file), ca_file)


@click.command()
@click.option("--from", "start", metavar="TIME", default="-7d", help="The beginning: a date, a time, or -7d.")
@click.option("--to", "end", metavar="TIME", default="now", help="The end.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="Only checks of this group; may be repeated.")
@click.option("--format", "form", type=click.Choice(["table", *_ACCEPT]), default="table", help="How it is printed.")
@asks_daemon
@click.pass_context
def report(context: click.Context, /, start: str, end: str, groups: tuple[str, ...], form: str, **options: Any) -> int:
    """Say how available the checks were: availability, incidents, time to repair, latency."""
    from monitor.terminal import console, past

    asked, query = _daemon(context, options), [("from", start), ("to", end), *(("group", group) for group in groups)]
    if form == "table":
        console.show(past.report(asked.document("/report", query), console.width()))
    else:
        click.echo(asked.get("/report", query, _ACCEPT[form]).decode(), nl=form == "json")
    return 0


@click.command()
@click.option("--from", "start", metavar="TIME", default="-7d", help="Those that lasted after this time.")
@click.option("--to", "end", metavar="TIME", default="now", help="Those that began before.")
@click.option("--check", "checks", metavar="NAME", multiple=True, help="Only of this check; may be repeated.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="Only of this group; may be repeated.")
@click.option("--ongoing", is_flag=True, help="Only those that last.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per incident.")
@asks_daemon
@click.pass_context
def incidents(context: click.Context, /, as_json: bool, **options: Any) -> int:
    """List incidents, newest first."""
    from monitor.terminal import console, past

    query = _incident_query(options)
    found = _all_pages(_daemon(context, options), query)
    if as_json:
        from msgspec import json

        for one in found:
            click.echo(json.encode(one).decode())
    else:
        console.show(past.incidents(found))
    return 0


@click.command()
@click.argument("incident")
@click.option("--note", default="", help="What is known, or being done.")
@click.option("--for", "lasts", metavar="DURATION", help="For how long: 30m, 2h; until it ends unless given.")
@click.option("--take-back", is_flag=True, help="Nobody takes care of it any more.")
@asks_daemon
@click.pass_context
def acknowledge(
    context: click.Context, /, incident: str, note: str, lasts: str | None, take_back: bool, **options: Any
) -> int:
    """Say that somebody takes care of an incident; `monitor incidents` lists their ids."""
    from monitor.terminal.remote import part

    path, asked = f"/incidents/{part(incident)}/acknowledgement", _daemon(context, options)
    if take_back:
        asked.change("DELETE", path)
    else:
        asked.change("PUT", path, {"note": note} | ({"for": lasts} if lasts else {}))
    click.echo("taken back" if take_back else "acknowledged")
    return 0


@click.command()
@click.argument("text", required=False)
@click.option("--for", "lasts", metavar="DURATION", help="For how long: 30m, 2h; until it is withdrawn unless given.")
@click.option("--group", "groups", metavar="GROUP", multiple=True, help="It is about this group; may be repeated.")
@click.option("--withdraw", metavar="ID", help="End this announcement instead.")
@asks_daemon
@click.pass_context
def announce(
    context: click.Context,
    /,
    text: str | None,
    lasts: str | None,
    groups: tuple[str, ...],
    withdraw: str | None,
    **options: Any,
) -> int:
    """Say something to everybody who reads the page."""
    from monitor.terminal.remote import part

    if (text is None) is (withdraw is None):
        raise click.UsageError("give a text, or --withdraw with an id")
    asked = _daemon(context, options)
    if withdraw is not None:
        asked.change("DELETE", f"/announcements/{part(withdraw)}")
        click.echo("withdrawn")
        return 0
    said = asked.change(
        "POST", "/announcements", {"text": text, "groups": list(groups)} | ({"for": lasts} if lasts else {})
    )
    click.echo(said["id"])
    return 0


COMMANDS = (report, incidents, acknowledge, announce)


def _incident_query(options: dict[str, Any]) -> list[tuple[str, str]]:
    query = [("from", options.pop("start")), ("to", options.pop("end"))]
    query += [("check", name) for name in options.pop("checks")]
    query += [("group", name) for name in options.pop("groups")]
    return [*query, *((("state", "ongoing"),) if options.pop("ongoing") else ())]


def _all_pages(asked: Daemon, query: list[tuple[str, str]]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        more = [*query, ("limit", "1000"), *((("cursor", cursor),) if cursor else ())]
        page = asked.document("/incidents", more)
        found += page["incidents"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("MONITOR_TOKEN")
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(
            f"{file}: {getattr(error, 'strerror', None) or 'is no text'}", param_hint="--token-file"
        ) from None
