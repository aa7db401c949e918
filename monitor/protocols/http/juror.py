"""The main program of the process that `jury` starts: judges one body after the other, within limits."""

from __future__ import annotations

import functools
import importlib
import pickle
import resource
import signal
import socket
from collections.abc import Callable

import msgspec

from monitor.model.outcome import Finding, Reason
from monitor.model.request import Expect
from monitor.protocols.http.judging import judge_body
from monitor.protocols.http.jury import LENGTH, Answer, Question, Verdict, work_limit
from monitor.secrets.redaction import Redactor

_MEMORY = 256 * 1024 * 1024
_MEMORY_PER_BYTE = 64
"""A JSON document takes up to some forty times its length in memory."""


def main() -> None:
    """Judge what comes in by standard input, a socket, until that is closed."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # who started this process ends it
        signal.signal(ignored, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    importlib.import_module("jsonpath_rfc9535")
    with socket.socket(fileno=0) as parent:
        while (length := _exactly(parent, LENGTH.size)) is not None:
            question = _exactly(parent, *LENGTH.unpack(length))
            if question is None:
                return
            answer = msgspec.msgpack.encode(_answer(msgspec.msgpack.decode(question, type=Question)))
            parent.sendall(LENGTH.pack(len(answer)) + answer)


def _exactly(parent: socket.socket, count: int) -> bytes | None:
    pieces, left = [], count
    while left:
        piece = parent.recv(min(left, 1 << 20))
        if not piece:
            return None
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _answer(question: Question) -> Answer:
    size = len(question.body)
    expect, foreign = _rules(question.rules)
    _limit_memory(_MEMORY + _MEMORY_PER_BYTE * size)
    signal.setitimer(signal.ITIMER_PROF, work_limit(size))
    try:
        finding, notes = judge_body(expect, question.body, question.content_type, foreign)
    except MemoryError:
        said = f"the body ({size} bytes) takes more memory to judge by expect.json than there is for that"
        finding, notes = Verdict(Finding(Reason.INVALID_CONTENT, said))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return Answer(finding.reason.name, finding.detail, notes) if finding is not None else Answer("", "", notes)


def _limit_memory(most: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


@functools.lru_cache(maxsize=64)
def _rules(pickled: bytes) -> tuple[Expect, Callable[[str], str]]:
    expect, secrets = pickle.loads(pickled)  # noqa: S301  from the process that started this one
    return expect, Redactor(secrets).foreign
