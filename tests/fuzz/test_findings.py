"""What the fuzzers found, or reading for them did, each with the input that showed it. None may come back."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from google.rpc import status_pb2

from anonymizer import AnonymizerError, Limits
from anonymizer.intake.sniff import Format
from anonymizer.intake.wholeness import check_whole
from enclave.errors import PolicyError
from enclave.policy import parse_policy, shipped
from enclave.policy.document import MAX_DOTS_IN_LINE
from grpc_api.client.connection import translate
from keyvault.client import VaultUnavailableError
from protos.bauta.internal.v1.vault_pb2 import VaultResponse
from provenance.errors import LogError
from provenance.log_storage import LogStorage
from tests.fuzz.rooms.proofs import log_file
from tests.fuzz.rooms.replies import FailedCall, rich_status
from tests.fuzz.target import attempt
from tests.fuzz.targets import TARGETS
from tests.unit.provenance.provenance_makers import ORIGIN

NOT_FOUND = grpc.StatusCode.NOT_FOUND.value[0]


@pytest.mark.parametrize(
    ("what", "details"),
    [
        ("no status", b"\x00"),
        (
            "another code than gRPC's",
            status_pb2.Status(code=5 + 1, message="no such job").SerializeToString(),
        ),
        ("a code that is none", status_pb2.Status(code=-1, message="no such job").SerializeToString()),
        ("another message", status_pb2.Status(code=NOT_FOUND, message="oh").SerializeToString()),
        ("a detail that is cut", rich_status()[0].replace(b"\x16\n\rjob", b"\x16\x0b\rjob")),
    ],
)
def test_a_service_that_sends_a_broken_status_gets_a_service_error(what: str, details: bytes) -> None:
    error = translate(FailedCall(details))
    assert (error.code, error.status) == ("service_answer_unknown", grpc.StatusCode.NOT_FOUND), what


def test_a_sound_status_still_gives_its_code() -> None:
    assert translate(FailedCall(rich_status()[0])).code == "job_not_found"


@pytest.mark.parametrize(
    ("name", "untrusted"),
    [
        pytest.param("service_config", b"a = " + b"[" * 5000, id="RecursionError"),
        pytest.param("service_config", b"a = " + b"9" * 5000, id="ValueError of a number too long"),
        pytest.param("service_config", b"[service]\n" + b"k" * 1000 + b" = 1", id="the whole key told"),
        pytest.param("service_config", b'[service]\n"\\u001b[31m" = 1', id="a key that colours the terminal"),
        pytest.param(
            "service_config",
            b'[service]\nwall_floor = ["\\u001b[31m"]',
            id="a wall that colours the terminal",
        ),
        pytest.param(
            "opening", b'{"format":"bauta.opening/v1","salt":"\xc3\xa9"}\n', id="ValueError of a strange salt"
        ),
    ],
)
def test_an_input_that_came_out_in_a_strange_error_is_refused(name: str, untrusted: bytes) -> None:
    assert isinstance(attempt(TARGETS[name], untrusted), TARGETS[name].errors)


@pytest.mark.parametrize("code", ["Kanari7", "two\nlines", "a" * 65, "\x1b[31m"])
def test_a_refusal_without_a_code_is_no_answer_of_the_vault(code: str) -> None:
    refusal = attempt(TARGETS["vault_answer"], VaultResponse(error_code=code).SerializeToString())
    assert isinstance(refusal, VaultUnavailableError)


def test_a_key_of_many_parts_is_refused_before_it_costs_anything() -> None:
    """tomllib took seven seconds for one key of 64 KiB, and a stranger may send such a policy."""
    with pytest.raises(PolicyError, match="dots"):
        parse_policy("a." * 32_000 + "a = 1")
    text = shipped()["street"].text
    assert parse_policy(text + "#" + "." * MAX_DOTS_IN_LINE)
    with pytest.raises(PolicyError, match="dots"):
        parse_policy(text + "#" + "." * (MAX_DOTS_IN_LINE + 1))


def test_a_log_whose_schema_is_no_text_is_damaged(tmp_path: Path) -> None:
    """SQLite's complaint quotes the bytes, and Python could not decode the complaint."""
    path = tmp_path / "log.sqlite"
    broken = log_file().replace(b"CREATE TABLE entries", b"CREA\xc2E TABLE entries")
    assert broken != log_file()
    path.write_bytes(broken)
    with pytest.raises(LogError) as caught:
        LogStorage(path, ORIGIN)
    assert caught.value.code == "log_damaged"


@pytest.mark.parametrize("note", [None, 3, "text"])
def test_a_log_with_a_row_of_another_type_is_damaged(tmp_path: Path, note: object) -> None:
    """Its own tables forbid it, and a damaged or a foreign file does not ask them."""
    path = tmp_path / "log.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE identity (origin)")
        database.execute("CREATE TABLE checkpoints (size, root, note)")
        database.execute("CREATE TABLE nodes (level, position, hash)")
        database.execute("INSERT INTO identity VALUES (?)", (ORIGIN,))
        database.execute("INSERT INTO checkpoints VALUES (1, NULL, ?)", (note,))
        database.execute("INSERT INTO nodes VALUES (0, 0, ?)", (note,))
        database.commit()
    with closing(LogStorage(path, ORIGIN)) as storage:
        for read in (storage.latest, lambda: storage.node(0, 0)):
            with pytest.raises(LogError) as caught:
                read()
            assert caught.value.code == "log_damaged"


class CountingFile(io.BytesIO):
    """Counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part


def test_a_jpeg_of_nothing_but_markers_is_not_read_over_and_over() -> None:
    """Each start of scan cost a read of a megabyte: a file of 20 MB would have kept a worker for hours."""
    markers = 100_000
    source = CountingFile(b"\xff\xd8" + b"\xff\xda\x00\x02" * markers)
    with pytest.raises(AnonymizerError, match="ends too early"):
        check_whole(source, Format.JPEG, Limits())
    assert source.taken <= markers * (5 << 10)
