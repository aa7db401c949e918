"""Asks servers to staple an OCSP answer to their certificate, for which Python's `ssl` has no word.

The answer comes in handshake messages that `monitor.net.tls` sees anyway; only the request has to be switched on, by
one number in OpenSSL's SSL_CTX. Where that cannot be reached safely, servers are not asked, and nothing is concluded.
"""

from __future__ import annotations

import _ssl
import ctypes
import functools
import ssl
import sys
from typing import Any

_SET_STATUS_TYPE, _GET_STATUS_TYPE = 65, 127
"""SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE (openssl/ssl.h)."""
_OCSP, _NOTHING = 1, -1
"""TLSEXT_STATUSTYPE_ocsp, TLSEXT_STATUSTYPE_nothing."""
_KNOWN = (3, 11) <= sys.version_info < (3, 15) and sys.implementation.name == "cpython"
"""Versions of CPython that keep the SSL_CTX right behind the object's head (PySSLContext in Modules/_ssl.c)."""


def ask(context: ssl.SSLContext) -> bool:
    """Makes the handshakes of this context request a staple; returns False if that is impossible."""
    control = _control()
    if control is None:
        return False
    native = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if control(native, _GET_STATUS_TYPE, 0, None) != _NOTHING:  # not what a new context says: then hands off
        return False
    return bool(control(native, _SET_STATUS_TYPE, _OCSP, None) == 1)


@functools.cache
def asked() -> bool:
    """Returns whether contexts of this process ask for staples."""
    return ask(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))


@functools.cache
def _control() -> Any:
    """OpenSSL's SSL_CTX_ctrl, in the library that `ssl` itself uses."""
    path = getattr(_ssl, "__file__", None)
    if not _KNOWN or path is None:
        return None
    try:
        control = ctypes.CDLL(path).SSL_CTX_ctrl
    except (OSError, AttributeError):
        return None
    control.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p]
    control.restype = ctypes.c_long
    return control
