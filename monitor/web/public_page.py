"""The page for outsiders: a template of its own, which is given what outsiders may know and nothing else."""

from __future__ import annotations

from monitor.model.outcome import State
from monitor.stats.availability import percent
from monitor.web import public_words
from monitor.web.day_bars import day_bars
from monitor.web.pages import template
from monitor.web.public_view import DAYS, INCIDENT_DAYS, MOST_INCIDENTS, PublicView
from monitor.web.rendering import Parts, encoded
from monitor.web.static import icon_path

_FEW = 12
"""Services in trouble that are named at the top of the page."""
_EXPRESSIONS_AT_ONCE = 100
_TEMPLATE = template("public.html")


async def public_page(view: PublicView, compress: bool) -> Parts:
    """The page of `/public`."""
    counts = view.counts
    state = public_words.worst(counts)
    wrong = [check for check in view.checks if check.state in (State.DOWN, State.DEGRADED)]
    wrong.sort(key=lambda check: (check.state is not State.DOWN, check.since))
    page = _TEMPLATE.stream(
        view=view,
        now=view.now,
        state=state,
        wrong=wrong[:_FEW],
        more=len(wrong[_FEW:]),
        title=f"{public_words.sentence(counts)} · {view.title}" if state is State.DOWN else view.title,
        icon=icon_path(counts[State.DOWN]),
        said=public_words,
        day_bars=day_bars,
        percent=percent,
        days=DAYS,
        incident_days=INCIDENT_DAYS,
        most_incidents=MOST_INCIDENTS,
    )
    page.enable_buffering(_EXPRESSIONS_AT_ONCE)
    return await encoded(page, compress)
