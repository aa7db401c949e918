"""A large configuration loads in a time that grows as the file does."""

from __future__ import annotations

import time
from collections.abc import Callable

from monitor.model.settings import Configuration


def test_ten_times_as_many_checks_load_in_about_ten_times_the_cpu(loading: Callable[..., Configuration]) -> None:
    def cpu(count: int) -> float:
        checks = "".join(
            f'[[checks]]\nname = "c{i}"\nurl = "https://h{i}.example.com/health"\ninterval = "10s"\n'
            f'headers = {{ Authorization = {{ env = "TOKEN" }} }}\n'
            for i in range(count)
        )
        start = time.process_time()
        configuration = loading(f'[defaults]\ntimeout = {{ total = "15s" }}\n{checks}')
        assert len(configuration.checks) == count
        return time.process_time() - start

    cpu(10)  # what the first load makes once
    assert cpu(4_000) < 10 * 2 * cpu(400)
