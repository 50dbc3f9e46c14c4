"""web3 comes into a service without lifting the limit that its parsers rely on."""

from __future__ import annotations

import subprocess
import sys

import pytest

ROOMS = ("chain", "deploying", "asking", "gathering", "transport")


@pytest.mark.parametrize("room", ROOMS)
def test_nested_bytes_of_a_stranger_still_end_in_an_error(room: str) -> None:
    program = (
        f"import sys; before = sys.getrecursionlimit(); import grpc_api.anchors.{room}; "
        "assert 'web3' in sys.modules; print(before == sys.getrecursionlimit())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"
