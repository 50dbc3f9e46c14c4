"""A real job's proof, checked by a stranger: docs/formats.md, other people's tools, and no code of ours.

A running service anonymizes a picture. From its trust file, the result and the proof file on, everything here
is JSON, SHA-256, securesystemslib (DSSE, Ed25519), in-toto-attestation (the statement) and Go (ML-DSA, signed
notes, the Merkle tree). Nothing of ours may be imported but what runs the service.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import media_factory
import pytest
from go_peer import Stranger
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey
from service_process import Service

Content = dict[str, Any]


@dataclass(frozen=True)
class Keys:
    """Two public keys of one signer, raw."""

    ed25519: bytes
    mldsa65: bytes


@dataclass(frozen=True)
class Handed:
    """What a stranger is handed.

    Attributes:
        result: the anonymized file.
        proof: the proof file, parsed.
        trust: the trust file, parsed.
        log: the folder of the log's static files.
    """

    result: bytes
    proof: Content
    trust: Content
    log: Path


@pytest.fixture(scope="module")
def handed(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Handed:
    folder = tmp_path_factory.mktemp("job")
    picture = media_factory.face_image(folder / "picture.png")
    submitted = service.submit(picture, folder / "result.png")
    return Handed(
        result=(folder / "result.png").read_bytes(),
        proof=json.loads(submitted.proof),
        trust=json.loads((service.data / "trust.json").read_bytes()),
        log=service.data / "desk" / "log",
    )


def verified(stranger: Stranger, content: Content, keys: Keys) -> Content:
    """Has others check both signatures of an envelope; the statement inside."""
    envelope = Envelope.from_dict(json.loads(json.dumps(content)))
    key_id = "ed25519:" + hashlib.sha256(keys.ed25519).hexdigest()
    ed25519 = SSlibKey(key_id, "ed25519", "ed25519", {"public": keys.ed25519.hex()})
    assert list(envelope.verify([ed25519], threshold=1)) == [key_id]
    signature = envelope.signatures["mldsa65:" + hashlib.sha256(keys.mldsa65).hexdigest()]
    checked = stranger.ask(
        "check_mldsa65",
        public=keys.mldsa65,
        message=envelope.pae(),
        signature=bytes.fromhex(signature.signature),
    )
    assert checked.error == ""
    statement: Content = json.loads(envelope.payload)
    Statement.copy_from_pb(ParseDict(statement, statement_pb2.Statement())).validate()
    return statement


def node_keys(handed: Handed) -> Keys:
    node = handed.trust["node"]
    return Keys(base64.b64decode(node["ed25519"]), base64.b64decode(node["mldsa65"]))


def worker_keys(stranger: Stranger, handed: Handed) -> Keys:
    """The worker's one-job keys, out of the evidence that the node signed."""
    (evidence,) = handed.proof["evidence"]
    certified = verified(stranger, evidence, node_keys(handed))["predicate"]
    return Keys(base64.b64decode(certified["workerEd25519"]), base64.b64decode(certified["workerMldsa65"]))


def entry_of(envelope: Content, kind: str) -> bytes:
    """What the log holds of an envelope."""
    canonical = json.dumps(envelope, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return f'{{"entry":"bauta.entry/v1","kind":"{kind}","sha256":"{digest}"}}'.encode()


def test_both_signatures_the_statement_and_the_file_hold(stranger: Stranger, handed: Handed) -> None:
    statement = verified(stranger, handed.proof["statement"], worker_keys(stranger, handed))
    assert statement["predicateType"].startswith("urn:bauta:predicate:job:")
    (subject,) = statement["subject"]
    assert subject["digest"] == {"sha256": hashlib.sha256(handed.result).hexdigest()}
    assert statement["predicate"]["resultBytes"] == len(handed.result)


def test_the_proof_leads_to_a_checkpoint_that_the_log_signed(stranger: Stranger, handed: Handed) -> None:
    head, _, checkpoint = handed.proof["log"].partition("\n\n")
    header, index, *hashes = head.split("\n")
    assert header == "c2sp.org/tlog-proof@v1"
    opened = stranger.ask("open_note", note=checkpoint.encode(), vkeys=handed.trust["log"]["vkeys"])
    assert opened.error == ""
    assert len(opened.names) == 2
    assert opened.origin == handed.trust["log"]["origin"]
    entry = entry_of(handed.proof["statement"], "job")
    claim = {
        "index": int(index.removeprefix("index ")),
        "size": opened.size,
        "root": opened.root,
        "leaf": hashlib.sha256(b"\0" + entry).digest(),
        "proof": [base64.b64decode(line) for line in hashes],
    }
    assert stranger.ask("check_inclusion", **claim).error == ""
    assert stranger.ask("check_inclusion", **{**claim, "leaf": hashlib.sha256(entry).digest()}).error


def test_the_running_services_log_is_sound_and_holds_both_envelopes(
    stranger: Stranger, handed: Handed
) -> None:
    found = stranger.ask("audit_folder", folder=str(handed.log), vkeys=handed.trust["log"]["vkeys"])
    assert found.error == ""
    assert len(found.entries) == found.size
    assert entry_of(handed.proof["statement"], "job") in found.entries
    assert entry_of(handed.proof["evidence"][0], "release") in found.entries


def test_they_refuse_other_keys_and_another_statement(stranger: Stranger, handed: Handed) -> None:
    worker, node = worker_keys(stranger, handed), node_keys(handed)
    statement = handed.proof["statement"]
    with pytest.raises(VerificationError):
        verified(stranger, statement, node)
    with pytest.raises(KeyError):
        verified(stranger, statement, Keys(worker.ed25519, node.mldsa65))
    payload = json.loads(base64.b64decode(statement["payload"]))
    payload["predicate"]["framesWithFaces"] += 1
    changed = {**statement, "payload": base64.b64encode(json.dumps(payload).encode()).decode()}
    with pytest.raises(VerificationError):
        verified(stranger, changed, worker)


def test_gos_ml_dsa_refuses_another_message_and_another_key(stranger: Stranger, handed: Handed) -> None:
    worker = worker_keys(stranger, handed)
    envelope = Envelope.from_dict(json.loads(json.dumps(handed.proof["statement"])))
    (key_id,) = [name for name in envelope.signatures if name.startswith("mldsa65:")]
    claim = {
        "public": worker.mldsa65,
        "message": envelope.pae(),
        "signature": bytes.fromhex(envelope.signatures[key_id].signature),
    }
    assert stranger.ask("check_mldsa65", **claim).error == ""
    assert stranger.ask("check_mldsa65", **{**claim, "message": envelope.pae() + b" "}).error
    assert stranger.ask("check_mldsa65", **{**claim, "public": node_keys(handed).mldsa65}).error
