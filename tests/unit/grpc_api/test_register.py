"""Which release a front desk shows for its worker, and how the intake board proves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from grpc_api.errors import ServiceError
from grpc_api.ledger import IntakeBoard, Ledger
from grpc_api.register import add_releases, read_release, settle_release, write_release
from keyvault.client import VaultClient
from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from protos.bauta.internal.v1.worker_pb2 import WorkerHello, WorkerVersion
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import FormatError
from provenance.log import TransparencyLog
from provenance.proof import ProofFile
from provenance.statements import WorkerReleaseFacts
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust

NODE, REVIEWER, STRANGER = HybridSigner.generate(), HybridSigner.generate(), HybridSigner.generate()
LOG = LogSigner.generate("bauta.test/log")
MEASUREMENT = bytes(range(32))


def release(signer: HybridSigner, **changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "measurement": MEASUREMENT.hex(),
        "version": "0.1.0",
        "models": {"centerface": "0" * 64},
        "policies": {"street": "0" * 64},
        "lock_sha256": "0" * 64,
        "released_at": "2026-11-20T09:00:00Z",
    }
    return sign_envelope(WorkerReleaseFacts(**{**values, **changes}).to_statement(), signer)


def trust(*signers: HybridSigner) -> Trust:
    return Trust(NODE.public, LOG.origin, LOG.vkeys, tuple(signer.public for signer in signers))


class Vault:
    """Signs when asked, and remembers what it was shown."""

    def __init__(self) -> None:
        self.signed = 0
        self.shown: list[bytes] = []

    def release_worker(self) -> bytes:
        self.signed += 1
        return release(NODE).to_bytes()

    def register_worker(self, envelope: bytes) -> None:
        self.shown.append(envelope)


def settle(tmp_path: Path, believed: Trust, vault: Vault, lock: bytes = bytes(32)) -> Envelope:
    own = tmp_path / "own.json"
    hello = WorkerHello(measurement=MEASUREMENT, version=WorkerVersion(version="0.1.0", lock_sha256=lock))
    return settle_release(tmp_path / "releases", own, believed, cast(VaultClient, vault), hello)


def test_the_vault_is_asked_once_where_the_operator_releases(tmp_path: Path) -> None:
    vault = Vault()
    first = settle(tmp_path, trust(NODE), vault)
    assert settle(tmp_path, trust(NODE), vault) == first
    assert vault.signed == 1
    assert vault.shown == [first.to_bytes()] * 2


def test_a_kept_release_of_another_worker_does_not_count(tmp_path: Path) -> None:
    vault = Vault()
    write_release(tmp_path / "own.json", release(NODE, measurement="1" * 64))
    assert settle(tmp_path, trust(NODE), vault) == read_release(tmp_path / "own.json")
    assert vault.signed == 1


def test_a_release_by_others_comes_before_the_operators_own_and_a_newer_one_first(tmp_path: Path) -> None:
    vault = Vault()
    newest = release(REVIEWER, released_at="2026-11-20T10:00:00Z")
    for number, envelope in enumerate(
        [
            newest,
            release(REVIEWER),
            release(NODE, released_at="2026-11-21T00:00:00Z"),
            release(STRANGER, released_at="2026-11-21T00:00:00Z"),
            release(REVIEWER, measurement="1" * 64, released_at="2026-11-21T00:00:00Z"),
        ]
    ):
        write_release(tmp_path / f"{number}.json", envelope)
    add_releases(tmp_path / "releases", tmp_path.glob("?.json"))
    assert settle(tmp_path, trust(NODE, REVIEWER), vault) == newest
    assert vault.signed == 0


@pytest.mark.parametrize(
    "found",
    [
        None,
        release(STRANGER),
        release(NODE),
        release(REVIEWER, measurement="1" * 64),
        b"",
        b"{}",
        b"\xff" * 9,
    ],
    ids=[
        "nothing",
        "a stranger's",
        "the node's",
        "another worker's",
        "an empty file",
        "no release",
        "no text",
    ],
)
def test_without_a_release_that_counts_there_is_no_service(
    tmp_path: Path, found: Envelope | bytes | None
) -> None:
    vault = Vault()
    (tmp_path / "releases").mkdir()
    if isinstance(found, Envelope):
        write_release(tmp_path / "releases" / "a.json", found)
    elif found is not None:
        (tmp_path / "releases" / "a.json").write_bytes(found)
    with pytest.raises(ServiceError) as refused:
        settle(tmp_path, trust(REVIEWER), vault)
    assert refused.value.code == "worker_not_released"
    assert (vault.signed, vault.shown) == (0, [])


def test_an_installation_without_a_lock_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as refused:
        settle(tmp_path, trust(NODE), Vault(), lock=b"")
    assert refused.value.code == "lock_missing"


def test_only_releases_are_copied(tmp_path: Path) -> None:
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(FormatError):
        add_releases(tmp_path / "releases", [tmp_path / "no.json"])
    assert list((tmp_path / "releases").iterdir()) == []


class Board:
    """An intake board over a real log, whose intake changes when told to."""

    def __init__(self, folder: Path) -> None:
        self.log = TransparencyLog(
            folder / "log.sqlite", LOG.origin, lambda text, _: LOG.sign_checkpoint(text, 1_795_219_200)
        )
        self.intake = release(NODE, version="1.0")  # Any envelope will do.
        self.board = IntakeBoard(self.announce, Ledger(self.log))

    def announce(self) -> bytes:
        return self.intake.to_bytes()


def test_the_board_is_closed_until_the_worker_is_there(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as refused:
        Board(tmp_path).board.current()
    assert refused.value.code == "worker_not_ready"


def test_both_proofs_are_under_one_checkpoint_and_nothing_is_recorded_twice(tmp_path: Path) -> None:
    scene = Board(tmp_path)
    scene.board.settle(release(REVIEWER))
    first = scene.board.current()
    assert scene.board.current() == first
    scene.log.append("job", bytes(32))
    scene.intake = release(NODE, version="2.0")
    second = scene.board.current()
    places = [
        TlogProof.parse(ProofFile.from_bytes(proof).log)
        for proof in (first.release, first.intake, second.release, second.intake)
    ]
    assert [place.index for place in places] == [0, 1, 0, 3]
    assert places[0].checkpoint == places[1].checkpoint != places[2].checkpoint == places[3].checkpoint
