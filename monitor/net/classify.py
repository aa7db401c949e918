"""The one seam at which exceptions of other libraries become reasons: a table, most specific first.

A protocol puts rows of its own in front.
"""

from __future__ import annotations

import errno
import ssl
import time
from collections.abc import Callable

from monitor.model.outcome import Finding, Reason
from monitor.net.refusals import Peer, Refusal, refused_certificate, refused_handshake
from monitor.net.run import Disconnected, Run, Stop, tried
from monitor.net.stage import Stage

Explain = Callable[[BaseException, Run], Finding]
Table = tuple[tuple[type[BaseException], Explain], ...]

_LOCAL = {
    errno.EMFILE: "this process has no file descriptor left",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.ENOMEM: "this machine has no memory left",
    errno.ENOBUFS: "this machine has no network buffer left",
    errno.EADDRNOTAVAIL: "no local address or port to connect from",
    errno.EADDRINUSE: "no local port to connect from",
    errno.EAGAIN: "no local port or route to connect from",
}
_UNREACHABLE = {
    errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.ENONET, errno.ETIMEDOUT,
    errno.EACCES, errno.EPERM,  # a local packet filter's way to say that there is no way
    errno.EAFNOSUPPORT, errno.EINVAL,  # no such protocol here; a link-local address without its link
    errno.EPROTO, errno.ENOPROTOOPT, errno.EPROTONOSUPPORT,
}  # fmt: skip
_RESET = {
    errno.ECONNRESET,
    errno.EPIPE,
    errno.ECONNABORTED,
    errno.ENOTCONN,
    errno.ESHUTDOWN,
    errno.ENETRESET,
}


def classify(exc: BaseException, run: Run, table: Table) -> Finding:
    """The reason for an exception that ended a run. One that no fault of a target explains is a bug, and raised."""
    for kind, explain in table:
        if isinstance(exc, kind):
            return explain(exc, run)
    raise exc


def is_local(error: OSError) -> bool:
    """True if this machine lacks a resource, which tells nothing about the target."""
    return error.errno in _LOCAL


def _stop(exc: BaseException, _run: Run) -> Finding:
    assert isinstance(exc, Stop)
    return exc.finding


def _timeout(exc: BaseException, run: Run) -> Finding:
    """Finding for a time limit of the check; TimeoutError with an errno means that the kernel gave up first."""
    if isinstance(exc, OSError) and exc.errno is not None:
        return _os_error(exc, run)
    return run.limit_passed()


def _certificate(exc: BaseException, run: Run) -> Finding:
    assert isinstance(exc, ssl.SSLCertVerificationError)
    peer = Peer(str(run.server_name), run.certificates, run.path, run.spec.route.tls)
    finding = refused_certificate(exc, peer, time.time())
    return Finding(finding.reason, run.spec.redactor.foreign(finding.detail))


def _tls(exc: BaseException, run: Run) -> Finding:
    assert isinstance(exc, ssl.SSLError)
    seen = run.tls.seen if run.tls is not None else None
    refusal = Refusal(
        alert=seen.alert if seen is not None else None,
        wants_certificate=seen is not None and seen.wants_certificate,
        beginning=run.tls.beginning if run.tls is not None else b"",
        host=str(run.server_name),
        tls=run.spec.route.tls,
    )
    finding = refused_handshake(exc, refusal)
    return Finding(finding.reason, f"{finding.detail}; {run.connected}")


def _os_error(exc: BaseException, run: Run) -> Finding:
    assert isinstance(exc, OSError)
    if is_local(exc):
        assert exc.errno is not None
        return Finding(Reason.LOCAL_RESOURCES, _LOCAL[exc.errno])
    if run.stage is Stage.TLS:
        return _broken_handshake(run, "was reset")
    if isinstance(exc, ConnectionRefusedError) or exc.errno == errno.ECONNREFUSED:
        return Finding(Reason.REFUSED, f"the connection{_place(run)} was refused{_others(run)}")
    if exc.errno in _RESET or isinstance(exc, ConnectionError):
        return Finding(Reason.RESET, f"the connection was reset {_when(run)}")
    if exc.errno in _UNREACHABLE:
        said = run.attempts[-1].error if len(run.attempts) == 1 else "no address can be reached"
        return Finding(Reason.UNREACHABLE, f"no way{_place(run)}: {said}{_others(run)}")
    if exc.errno is None:  # a transport that has gone under the hands of who used it
        return Finding(Reason.RESET, f"the connection broke {_when(run)}")
    raise exc


def _disconnected(_exc: BaseException, run: Run) -> Finding:
    if run.stage is Stage.TLS:
        return _broken_handshake(run, "was closed by the server")
    return Finding(Reason.DISCONNECTED, f"the connection was closed {_when(run)}")


def _broken_handshake(run: Run, how: str) -> Finding:
    return Finding(Reason.TLS_HANDSHAKE_FAILED, f"the connection {how} in the TLS handshake; {run.connected}")


def _memory(_exc: BaseException, _run: Run) -> Finding:
    return Finding(Reason.LOCAL_RESOURCES, _LOCAL[errno.ENOMEM])


TABLE: Table = (
    (Stop, _stop),
    (Disconnected, _disconnected),
    (TimeoutError, _timeout),
    (ssl.SSLCertVerificationError, _certificate),
    (ssl.SSLError, _tls),
    (OSError, _os_error),
    (MemoryError, _memory),
)


def _place(run: Run) -> str:
    """The address, if only one was tried."""
    return f" to {run.attempts[0].address}" if len(run.attempts) == 1 else ""


def _others(run: Run) -> str:
    return f"; {tried(run.attempts)}" if len(run.attempts) > 1 else ""


def _when(run: Run) -> str:
    if run.stage is Stage.BODY:
        return f"in the body, after {run.received} bytes of the answer; {run.connected}"
    if run.received:
        return f"in the {run.stage.part or 'answer'}, after {run.received} bytes; {run.connected}{run.expected}"
    return f"before any byte of the answer; {run.connected}{run.expected}"
