"""What runs need from disk is loaded before the first of them: no run of a daemon waits for it, nor does the loop."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import json, sys
from pathlib import Path
from monitor.config import load
from monitor.protocols import registry
from monitor.protocols.resources import Resources

checks = load(sys.argv[1]).checks
resources = Resources()
loaded = [name for name in sys.modules if name.startswith("monitor.protocols.") and name.endswith(".check")]
resources.prepare(checks)
made = len(resources.tls._contexts)
for check in checks:
    protocol = registry.protocol_of(check)
    registry.client_of(protocol)
    resources.tls.get(check.route.tls, protocol.alpn)
print(json.dumps([loaded, made, len(resources.tls._contexts), "monitor.net.certificates" in sys.modules]))
"""
CHECKS = """
[[checks]]
name = "web"
url = "https://a.example.com/"
[[checks]]
name = "mail"
url = "tcp://a.example.com:25"
tcp.dialogue = [{ expect = "^220", starttls = true }]
[[checks]]
name = "ldaps"
url = "tls://a.example.com:636"
"""


def test_contexts_and_clients_of_every_protocol_are_made_before_the_first_run(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.write_text(CHECKS)
    done = subprocess.run([sys.executable, "-c", PROGRAM, path], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == [[], 2, 2, True]
