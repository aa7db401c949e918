"""`make test-systemd`: makes the trees, once, and runs the tests of this folder, one kind of systemd after the other.

Not side by side: where no systemd runs outside, both containers are in one control group, and each kills what it takes
for its own service's processes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.systemd.trees import missing, prepare

if reason := missing():
    sys.stderr.write(f"make test-systemd: {reason}\n")
    raise SystemExit(2)
prepare()
raise SystemExit(pytest.main([str(Path(__file__).parent), "--timeout=300", *sys.argv[1:]]))
