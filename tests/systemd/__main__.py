"""`make test-systemd`: makes the trees, once, and runs the tests of this folder, the two systemds side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.systemd.trees import missing, prepare

if reason := missing():
    sys.stderr.write(f"make test-systemd: {reason}\n")
    raise SystemExit(2)
prepare()
raise SystemExit(
    pytest.main([str(Path(__file__).parent), "-n2", "--dist=loadgroup", "--timeout=300", "--durations=8", *sys.argv[1:]])
)
