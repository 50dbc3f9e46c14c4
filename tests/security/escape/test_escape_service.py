"""A whole service whose worker is taken over: lies and attempts reach the submitter as a code, and no more.

Command line, supervisor, front desk and vault are real and unchanged; so are the wall and the one-job keys
that the lying worker signs with. Each row is one submission; after the last, the same service does a job.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hostile_bauta
import lies
import pytest
import service_process
from attempt import DIED, INVALID, KILLED
from media_factory import face_image
from service_process import Service

from grpc_api.errors import ServiceError

FOLDER = Path(__file__).parent
TOLD = dict.fromkeys(lies.ALL, INVALID)
TRIED = {
    "connect over TCP": KILLED,
    "run a program": KILLED,
    "fork without end": KILLED,
    "make a 32-bit call (int 0x80)": KILLED,
    "hand the vault a descriptor": KILLED,
    "open a file by an absolute path": "internal_error",
    "put plaintext where a code belongs": INVALID,
    "claim a reply of 4 GiB": INVALID,
    "report an empty result": INVALID,
    "report no evidence": INVALID,
    "crash": DIED,
    "end without a word": DIED,
}
EXPECTED = TOLD | TRIED


@dataclass
class Outcome:
    """What came of it all.

    Attributes:
        codes: of each submission, by what its worker did.
        spooled: files of jobs left on the service's disk after each.
        health: after the last.
        last_media_type: of the honest job at the end.
        log: what the service wrote.
    """

    codes: dict[str, str]
    spooled: dict[str, int]
    health: str
    last_result: bytes
    log: str


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    program = folder / "bauta"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(FOLDER)!r})\n"
        "import hostile_bauta\nhostile_bauta.main()\n"
    )
    program.chmod(0o700)
    (folder / "data").mkdir()
    picture = face_image(folder / "face.jpg")
    codes, spooled = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(hostile_bauta.VARIABLE, ",".join(EXPECTED))
        patch.setattr(service_process, "bauta_program", lambda: program)
        with Service(folder / "data", config="max_job_seconds = 60\n") as service:
            for name in EXPECTED:
                try:
                    service.submit(picture, folder / "out.jpg")
                    codes[name] = "done"
                except ServiceError as failed:
                    codes[name] = failed.code
                spooled[name] = len(service.spooled())
            service.submit(picture, folder / "out.jpg")
            health = service.health()
        yield Outcome(codes, spooled, health, (folder / "out.jpg").read_bytes(), service.log.read_text())


@pytest.mark.parametrize(("name", "code"), EXPECTED.items(), ids=EXPECTED.keys())
def test_the_submitter_gets_a_code_and_nothing_else(outcome: Outcome, name: str, code: str) -> None:
    assert outcome.codes[name] == code
    assert outcome.spooled[name] == 0


def test_the_service_serves_the_next_job(outcome: Outcome) -> None:
    assert outcome.health == "SERVING"
    assert outcome.last_result.startswith(b"\xff\xd8")


def test_no_word_of_the_worker_is_in_the_log(outcome: Outcome) -> None:
    assert "Jane" not in outcome.log
    assert "refused_" not in outcome.log
