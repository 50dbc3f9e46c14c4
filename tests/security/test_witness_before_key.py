"""With a witness policy the vault lets a key go only under a checkpoint that outsiders have seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.client import VaultRefusedError
from protos.bauta.internal.v1.release_pb2 import ReleaseResponse
from provenance.dsse import Envelope
from provenance.tlog_proof import TlogProof
from tests.unit.keyvault.vault.harness import (
    RunningVault,
    Worker,
    header_of,
    make_request,
    read,
    seal_upload,
)
from tests.unit.provenance.provenance_makers import TestLogKeys
from tests.unit.provenance.witness_makers import WITNESSES, TestWitness, cosigned, policy_text, with_lines

ONE, TWO, THREE = WITNESSES
POLICY = policy_text("2")


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[RunningVault]:
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "120", policy=POLICY) as running:
        running.hello()
        yield running


def test_a_key_leaves_only_under_a_witnessed_checkpoint(vault: RunningVault) -> None:
    worker = Worker()
    header = header_of(upload := seal_upload(vault.intake().recipient, b"plaintext"))
    vault.accept(worker, upload)
    child = vault.register(worker.job_id)
    evidence = make_request(child, worker.request(header)).evidence
    with vault.log() as log:
        true = TlogProof.parse(log.proof_for(log.append("release", Envelope.from_bytes(evidence).digest)))
    note = true.checkpoint
    stale = note.replace(b"\n1\n", b"\n2\n", 1) if b"\n1\n" in note else note.replace(b"A", b"B", 1)
    for shown, code in (
        (note, "release_not_witnessed"),
        (cosigned(note, [ONE]), "release_not_witnessed"),
        (cosigned(note, [TestWitness("stranger.test/w")] * 2), "release_not_witnessed"),
        (with_lines(note, *ONE.lines(note), *TWO.lines(stale)), "release_proof_invalid"),
    ):
        with pytest.raises(VaultRefusedError) as refused:
            vault.client.confirm_release(worker.job_id, TlogProof(true.index, true.hashes, shown).to_bytes())
        assert refused.value.code == code
    witnessed = TlogProof(true.index, true.hashes, cosigned(note, [ONE, THREE])).to_bytes()
    vault.client.confirm_release(worker.job_id, witnessed)
    sealed = read(child, ReleaseResponse).sealed_file_key
    assert len(worker.key.open_file_key(sealed, worker.job_id, header)) == 16
    child.close()


@pytest.mark.parametrize(
    "policy",
    ["quorum nobody\n", f"log {TestLogKeys('other.test/log').vkeys[0]}\nquorum none\n"],
    ids=["no policy at all", "of another log"],
)
def test_a_vault_does_not_start_under_a_policy_that_it_cannot_hold(policy: str, tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault", policy=policy) as refused:
        assert refused.process.wait(60) == 1
        assert refused.process.stderr is not None
        assert b"witness_policy_invalid" in refused.process.stderr.read()
