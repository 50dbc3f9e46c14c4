"""A service that is told to stop does so, whatever hangs inside it and whenever the word comes."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from service_process import Service, bauta_program


def test_a_front_desk_that_hangs_is_killed_in_the_end(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with Service(data, config="drain_seconds = 1\n") as service:
        processes = service.processes()
        processes["desk"].suspend()
        assert service.stop() == 0
        assert not any(process.is_running() for process in processes.values())


@pytest.mark.parametrize("seconds", [0.3, 0.5, 0.7, 0.9])
def test_a_signal_before_the_service_is_ready_is_not_lost(seconds: float, tmp_path: Path) -> None:
    words = [str(bauta_program()), "serve", "--json", "--data", str(tmp_path / "data")]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as service:
        time.sleep(seconds)
        service.send_signal(signal.SIGTERM)
        # Before the handlers stand, the signal ends the command by itself; after that, in order.
        assert service.wait(240) in {0, -signal.SIGTERM}
