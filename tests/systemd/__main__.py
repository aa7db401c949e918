"""`make test-systemd`: makes the trees, once, and runs the tests of this folder, the kinds of systemd side by side."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.systemd.trees import SUITES, missing, prepare

if reason := missing():
    sys.stderr.write(f"make test-systemd: {reason}\n")
    raise SystemExit(2)
prepare()
COMMAND = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "--timeout=300", *sys.argv[1:]]
running = {
    suite: subprocess.Popen([*COMMAND, "-k", suite], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for suite in SUITES
}
try:
    for suite, tests in running.items():
        sys.stdout.write(f"== {suite}\n{tests.communicate()[0]}")
finally:
    for tests in running.values():
        if tests.poll() is None:
            tests.send_signal(signal.SIGINT)  # pytest then stops its container
            tests.wait()
raise SystemExit(max(tests.returncode for tests in running.values()))
