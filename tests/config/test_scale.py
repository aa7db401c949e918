"""A large configuration loads in the time that a reload may take."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.spec import Configuration


def test_ten_thousand_checks_load_within_five_seconds_of_cpu(loading: Callable[..., Configuration]) -> None:
    checks = "".join(
        f'[[checks]]\nname = "c{i}"\nurl = "https://h{i}.example.com/health"\ninterval = "10s"\n'
        f'headers = {{ Authorization = {{ env = "TOKEN" }} }}\n'
        for i in range(10_000)
    )
    start = time.process_time()
    configuration = loading(f'[defaults]\ntimeout = {{ total = "15s" }}\n{checks}')
    assert time.process_time() - start < 5
    assert len(configuration.checks) == 10_000
