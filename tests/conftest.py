"""What many tests share: where things are, the command line, a running service."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

# Read when gRPC is imported. By default it starts its threads anew in whatever this process forks, as long as
# any channel is open; a user namespace is given to a process of one thread only.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
from service_process import Service, bauta_program

RECURSION_LIMIT = sys.getrecursionlimit()

REPOSITORY = Path(__file__).resolve().parent.parent

# What a shell puts in the background is deaf to interrupts, as are its children: some tests send them one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What holds today holds tomorrow: the same examples in every run. `make fuzz` looks for new ones. And no
# clock judges them: 200 ms for an example, or a second for drawing ten, is too short where a machine stalls.
hypothesis.settings.register_profile(
    "the same each time",
    derandomize=True,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
if "BAUTA_FUZZ_EXAMPLES" not in os.environ:
    hypothesis.settings.load_profile("the same each time")


def pytest_collection_finish() -> None:
    """An EVM that a test module imports lifts the limit, and hostile nesting would end this process."""
    sys.setrecursionlimit(RECURSION_LIMIT)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of this checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_media() -> Path:
    """Real media beside the checkout; tests that need it carry the marker `shared`."""
    folder = REPOSITORY.parent / "shared" / "media"
    if not folder.is_dir():
        pytest.skip("no ../shared/media beside this checkout")
    return folder


@pytest.fixture(scope="session")
def bauta() -> list[str]:
    """The command line, as a user's shell would find it."""
    return [str(bauta_program())]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A real service, three processes behind a Unix socket, for the length of a module."""
    with Service(tmp_path_factory.mktemp("data")) as running:
        yield running
