"""Judges a body without holding up the loop: at once if it is short, in a thread, or in a process that can be killed.

What is linear in the body is done in a thread when the body is long. JSON that is long, and JSONPaths with wildcards,
descendants or filters, of which a few bytes can ask for hours, go to the process of `monitor.protocols.http.jury`.
"""

from __future__ import annotations

import asyncio

from monitor.model.request import Expect
from monitor.model.spec import CheckSpec
from monitor.protocols.http.charsets import decoded, decoded_json
from monitor.protocols.http.expectations import is_simple, judge_json, judge_text
from monitor.protocols.http.jury import Jury, Verdict
from monitor.rules.comparisons import Foreign

_LONG = 64 * 1024
"""Bytes. Less than this takes a few milliseconds at worst."""


async def judge(spec: CheckSpec, expect: Expect, body: bytes, content_type: str | None, jury: Jury) -> Verdict:
    """Judges a whole body. Takes seconds at most; a body that needs more is a finding."""
    long = len(body) > _LONG
    if expect.json and (long or not _is_simple(expect)):
        return await jury.judge(spec, expect, body, content_type)
    if long:
        return await asyncio.to_thread(judge_body, expect, body, content_type, spec.redactor.foreign)
    return judge_body(expect, body, content_type, spec.redactor.foreign)


def judge_body(expect: Expect, body: bytes, content_type: str | None, foreign: Foreign) -> Verdict:
    """Judges a whole body as text and as JSON. Linear in the body unless a JSONPath is not."""
    finding, notes = None, []
    if expect.body:
        text, note = decoded(body, content_type, foreign)
        notes.append(note)
        finding = judge_text(expect, text, len(body), foreign)
    if expect.json and finding is None:
        text, note = decoded_json(body, content_type)
        notes.append(note)
        finding = judge_json(expect, text, len(body), foreign)
    return Verdict(finding, tuple(note for note in notes if note))


def _is_simple(expect: Expect) -> bool:
    return all(is_simple(path) for path, _ in expect.json)
