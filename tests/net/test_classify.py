"""Every exception of our reader of answers, of ssl and the system is placed: with its reason, or as a bug of ours.

A library that adds a class fails these tests until somebody has thought about it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import errno
import inspect
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from monitor import net, protocols
from monitor.model.outcome import Outcome, Reason
from monitor.net import run
from monitor.net.classify import classify
from monitor.net.run import Disconnected, Run, Stop
from monitor.net.stage import Stage
from monitor.protocols.http import answer_head, decode
from monitor.protocols.http.answer_head import InvalidAnswer
from monitor.protocols.http.codings import Undecodable
from monitor.protocols.http.faults import TABLE
from monitor.secrets.redaction import DETAIL_LIMIT
from tests.made import spec

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "refused")


def tls(kind: type[ssl.SSLError] = ssl.SSLError, number: int = 1) -> ssl.SSLError:
    error = kind(number, "x")
    error.reason = error.library = None  # type: ignore[assignment]  # OpenSSL's own errors have both
    return error


def mistrust() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 10, "certificate has expired"
    return error


PLACED: dict[type[BaseException], tuple[BaseException, Reason]] = {
    type(error): (error, reason)
    for error, reason in (
        # the connection
        (Disconnected(), Reason.DISCONNECTED),
        # time
        (TimeoutError(), Reason.RESPONSE_TIMEOUT),
        # the answer
        (Undecodable("x"), Reason.INVALID_CONTENT),
        (InvalidAnswer("x"), Reason.INVALID_RESPONSE),
        # TLS
        (tls(), Reason.TLS_HANDSHAKE_FAILED),
        (mistrust(), Reason.TLS_CERTIFICATE_EXPIRED),
        (tls(ssl.SSLEOFError, 8), Reason.TLS_HANDSHAKE_FAILED),
        (tls(ssl.SSLZeroReturnError, 6), Reason.TLS_HANDSHAKE_FAILED),
        (tls(ssl.SSLSyscallError, 5), Reason.TLS_HANDSHAKE_FAILED),
        # the system
        (REFUSED, Reason.REFUSED),
        (ConnectionResetError(errno.ECONNRESET, "x"), Reason.RESET),
        (ConnectionAbortedError(errno.ECONNABORTED, "x"), Reason.RESET),
        (BrokenPipeError(errno.EPIPE, "x"), Reason.RESET),
        (ConnectionError("x"), Reason.RESET),
        (PermissionError(errno.EPERM, "x"), Reason.UNREACHABLE),  # what a local packet filter says
        (BlockingIOError(errno.EAGAIN, "x"), Reason.LOCAL_RESOURCES),  # no local port or route left
    )
}
"""One of each, and what it means while the head of the answer is awaited."""

NEVER: dict[type[BaseException], str] = {
    ssl.SSLWantReadError: "the event loop's own business",
    ssl.SSLWantWriteError: "the event loop's own business",
    InterruptedError: "Python repeats an interrupted call (PEP 475)",
    OSError: "placed by its errno, below",
    **dict.fromkeys(
        (
            ChildProcessError,
            FileExistsError,
            FileNotFoundError,
            IsADirectoryError,
            NotADirectoryError,
            ProcessLookupError,
        ),
        "not about sockets: placed by its errno, below",
    ),
    socket.gaierror: "names are resolved by c-ares, and addresses need no resolving",
    socket.herror: "names are resolved by c-ares",
}
"""Classes that no check can meet, and why."""


def walk(*modules: Any) -> Iterable[type[BaseException]]:
    """Every exception class that is found in these modules, and below those."""
    seen: set[type[BaseException]] = set()
    todo = [c for m in modules for _, c in inspect.getmembers(m, inspect.isclass) if issubclass(c, BaseException)]
    while todo:
        kind = todo.pop()
        if kind not in seen:
            seen.add(kind)
            todo += kind.__subclasses__()
    return sorted(seen, key=lambda c: (c.__module__, c.__qualname__))


def of_the_libraries() -> list[type[BaseException]]:
    """Exceptions of ssl and socket, of our own client, and the system's."""
    packages = ("ssl", "socket", "monitor")
    of_libraries = walk(answer_head, decode, ssl, socket, run)
    found = {c for c in of_libraries if c.__module__.partition(".")[0] in packages}
    found |= {c for c in walk(builtins) if c.__module__ == "builtins" and issubclass(c, OSError)}
    return sorted(
        (c for c in found if issubclass(c, Exception) and not _apart(c)),
        key=lambda c: c.__qualname__,
    )


def _apart(kind: type[BaseException]) -> bool:
    """Warnings, private signals, and what ends a run on purpose."""
    return kind is Stop or issubclass(kind, Warning) or kind.__name__.startswith("_")


def run_in(stage: Stage, *, connected: bool = True) -> Run:
    """A run that waits for this."""
    run = Run(spec())
    run.stage = stage
    run.host = "h"
    if connected:
        run.remote_address = "192.0.2.1:80"
    return run


def test_every_class_of_the_libraries_is_placed_on_purpose() -> None:
    new = [c for c in of_the_libraries() if c not in PLACED and c not in NEVER]
    assert not new, f"nobody has said yet what these mean: {new}"


def test_what_is_placed_is_still_there() -> None:
    assert not [c for c in PLACED if c in NEVER]
    assert len(of_the_libraries()) > 20


def test_no_check_uses_aiohttp() -> None:
    """Its client, parser and helpers raise exceptions that are placed nowhere."""
    used = set()
    for path in (p for room in (net, protocols) for p in Path(room.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                used |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module)
    assert not [name for name in used if name.startswith("aiohttp")]


@pytest.mark.parametrize("kind", sorted(PLACED, key=lambda c: c.__qualname__), ids=lambda c: c.__name__)
def test_a_placed_class_means_what_is_said_here(kind: type[BaseException]) -> None:
    error, reason = PLACED[kind]
    finding = classify(error, run_in(Stage.HEAD), TABLE)
    assert finding.reason is reason
    assert 0 < len(finding.detail) <= DETAIL_LIMIT
    assert any(isinstance(error, row) for row, _ in TABLE)


def test_the_table_goes_from_the_special_to_the_general() -> None:
    kinds = [kind for kind, _ in TABLE]
    for position, kind in enumerate(kinds):
        hidden = [later for later in kinds[position + 1 :] if issubclass(later, kind)]
        assert not hidden, f"{kind} hides {hidden}"


def test_what_no_target_can_cause_is_raised_as_a_bug() -> None:
    for bug in (ZeroDivisionError(), TypeError("x"), KeyError("x"), AssertionError(), RuntimeError("x")):
        with pytest.raises(type(bug)):
            classify(bug, run_in(Stage.HEAD), TABLE)


def test_a_stop_carries_its_own_finding() -> None:
    finding = classify(Stop(Reason.ADDRESS_DENIED, "no"), run_in(Stage.RESOLVE), TABLE)
    assert (finding.reason, finding.detail) == (Reason.ADDRESS_DENIED, "no")


def test_no_memory_is_this_machines() -> None:
    assert classify(MemoryError(), run_in(Stage.HEAD), TABLE).reason is Reason.LOCAL_RESOURCES


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (Stage.RESOLVE, Reason.DNS_TIMEOUT),
        (Stage.CONNECT, Reason.CONNECT_TIMEOUT),
        (Stage.TUNNEL, Reason.CONNECT_TIMEOUT),
        (Stage.TLS, Reason.TLS_TIMEOUT),
        (Stage.HEAD, Reason.RESPONSE_TIMEOUT),
        (Stage.BODY, Reason.READ_TIMEOUT),
    ],
)
def test_a_limit_is_named_after_what_was_awaited(stage: Stage, reason: Reason) -> None:
    assert classify(TimeoutError(), run_in(stage), TABLE).reason is reason


@pytest.mark.parametrize("error", [ConnectionResetError(104, "x"), Disconnected(), BrokenPipeError(32, "x")])
def test_whatever_ends_a_handshake_is_the_handshake(error: Exception) -> None:
    assert classify(error, run_in(Stage.TLS), TABLE).reason is Reason.TLS_HANDSHAKE_FAILED


# by errno

LOCAL = {"EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EADDRNOTAVAIL", "EADDRINUSE", "EAGAIN"}
OUT_OF_REACH = {
    "ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "EHOSTDOWN", "ENONET", "ETIMEDOUT", "EACCES", "EPERM", "EAFNOSUPPORT",
    "EINVAL", "EPROTO", "ENOPROTOOPT", "EPROTONOSUPPORT",
}  # fmt: skip
"""What connect(2) and the kernel's table of ICMP errors (icmp_err_convert) make of a way that is closed."""
RESET = {"ECONNRESET", "EPIPE", "ECONNABORTED", "ENOTCONN", "ESHUTDOWN", "ENETRESET"}
OURS = {
    "ENOENT", "EBADF", "EISDIR", "ENOTDIR", "EEXIST", "ECHILD", "ESRCH", "ENOTSOCK", "EFAULT", "EXDEV", "ENOSPC",
    "EROFS", "ENAMETOOLONG", "ELOOP", "ENOSYS", "ENOTEMPTY",
}  # fmt: skip
"""What only a mistake of ours, or a full disk here, can cause on the way to a target."""


PLACES = [(Stage.CONNECT, None), (Stage.HEAD, "192.0.2.1:80")]


@pytest.mark.parametrize(("stage", "address"), PLACES)
def test_every_errno_of_a_network_is_placed(stage: Stage, address: str | None) -> None:
    found = {}
    for number, name in errno.errorcode.items():
        with contextlib.suppress(OSError):  # an internal error, logged with its traceback
            found[name] = classify(OSError(number, "x"), run_in(stage, connected=address is not None), TABLE).reason
    assert found.pop("ECONNREFUSED") is Reason.REFUSED
    for names, reason in ((LOCAL, Reason.LOCAL_RESOURCES), (RESET, Reason.RESET), (OUT_OF_REACH, Reason.UNREACHABLE)):
        assert {name: found.pop(name) for name in names} == dict.fromkeys(names, reason)
    assert not set(found.values()) - {Reason.UNREACHABLE, Reason.RESET}, found


@pytest.mark.parametrize(("stage", "address"), PLACES)
def test_an_errno_that_only_we_can_cause_is_not_the_targets(stage: Stage, address: str | None) -> None:
    blamed = set()
    for name in OURS:
        try:
            finding = classify(OSError(getattr(errno, name), "x"), run_in(stage, connected=address is not None), TABLE)
        except OSError:
            continue  # an internal error, logged with its traceback
        if finding.reason.outcome is not Outcome.INCONCLUSIVE:
            blamed.add((name, finding.reason.value))
    assert not blamed
