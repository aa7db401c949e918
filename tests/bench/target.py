"""The target of the bench, an nginx: twelve bytes over HTTP and HTTPS, on one CPU, without an access log."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.servers.tcp import free_port

HOST = "127.0.0.1"
_PATIENCE = 10.0

# One process and not a master with a worker, so that ending it by its own id ends all of it.
_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    default_type text/plain;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {host}:{http} backlog=4096;
        listen {host}:{https} ssl backlog=4096;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        location / {{ return 200 "Hello, all!\\n"; }}
    }}
    server {{
        listen {host}:{ticketless} ssl backlog=4096;
        ssl_certificate {folder}/cert.pem;
        ssl_certificate_key {folder}/key.pem;
        ssl_protocols TLSv1.3;
        ssl_conf_command NumTickets 0;
        location / {{ return 200 "Hello, all!\\n"; }}
    }}
}}
"""


@dataclass(frozen=True)
class Target:
    """URLs of the nginx, and the authority that signed its certificate.

    `https` sends two session tickets after each handshake, as servers do by default; `ticketless` sends none.
    """

    http: str
    https: str
    ticketless: str
    ca_file: Path

    def url(self, kind: str) -> str:
        """Returns the URL of this kind: a name of a field."""
        url: str = getattr(self, kind)
        return url


@contextmanager
def nginx() -> Iterator[Target]:
    """An nginx of our own, in a folder of its own, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="bench-nginx-") as name:
        folder = Path(name)
        http, https, ticketless = free_port(), free_port(), free_port()
        urls = (f"http://{HOST}:{http}/", f"https://{HOST}:{https}/", f"https://{HOST}:{ticketless}/")
        target = Target(*urls, _certify(folder))
        text = _CONFIGURATION.format(folder=folder, host=HOST, http=http, https=https, ticketless=ticketless)
        (folder / "nginx.conf").write_text(text)
        command = ["nginx", "-p", name, "-e", f"{name}/error.log", "-c", f"{name}/nginx.conf"]
        with ended(subprocess.Popen(command)) as process:
            wait_for_port(http, process)
            os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
            yield target


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the context."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the process accepts connections there."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"{process.args!r} does not listen on port {port}") from None
            time.sleep(0.02)
        else:
            return


def _certify(folder: Path) -> Path:
    """Write a certificate for the host, and return the file of the authority that issued it."""
    authority = trustme.CA()
    leaf = authority.issue_cert(HOST, "localhost")
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    (folder / "key.pem").write_bytes(leaf.private_key_pem.bytes())
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return folder / "ca.pem"
