"""Witnesses, from all three sides: their policies, what logs send them, and what they answer."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from console.witness_desk import WitnessDesk
from console.witness_folder import WitnessFolder
from grpc_api.witnesses import _Witness
from keyvault.witness_key import WitnessKey, WitnessKeyError
from provenance.checkpoint import CheckpointText
from provenance.errors import ProvenanceError
from provenance.merkle import EMPTY_ROOT
from provenance.note import parse_note
from provenance.witness.known_logs import parse_known_logs
from provenance.witness.policy import parse_policy
from provenance.witness.quorum import require_quorum
from provenance.witness.submission import Submission, parse_cosignatures, parse_known_size
from tests.fuzz.target import Target
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys
from tests.unit.provenance.witness_makers import WITNESSES, cosigned, policy_text

LOG_ADMIN = "a log that somebody has taken over, or anybody on the network"
POLICY = policy_text("2").encode()
LOG = TestLogKeys()
TEXT = CheckpointText(ORIGIN, 0, EMPTY_ROOT)


@cache
def note() -> bytes:
    """An empty log's first checkpoint."""
    return LOG.sign_checkpoint(TEXT.to_bytes())


@cache
def answer() -> bytes:
    """What a witness says to it."""
    return "".join(line.to_text() for line in WITNESSES[0].lines(note())).encode()


@cache
def _key() -> WitnessKey:
    return WitnessKey.generate("witness.test/fuzzed")


@cache
def _key_file() -> bytes:
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        _key().write(Path(folder) / "key", None)
        return (Path(folder) / "key").read_bytes()


def check_seen(untrusted: bytes) -> None:
    """A note that makes the quorum is one that the witnesses signed: its text is this one."""
    require_quorum(untrusted, parse_policy(POLICY))
    assert parse_note(untrusted).text.encode() == TEXT.to_bytes()


def submit(untrusted: bytes) -> None:
    """A witness of this log signs its own tree and no other."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        logs = parse_known_logs("\n".join(LOG.vkeys).encode())
        kept = WitnessFolder(Path(folder))
        WitnessDesk(kept, logs, _key().signer, clock=lambda: 1).add_checkpoint(untrusted)
        remembered = kept.remembered(ORIGIN, logs)
        assert remembered is not None
        assert remembered.text == TEXT


def read_answer(untrusted: bytes) -> None:
    """What is taken over from an answer is signed by that witness."""
    with suppress(ProvenanceError):
        parse_known_size(untrusted)
    parse_cosignatures(untrusted)
    witness = _Witness(urlsplit("http://witness.test/"), WITNESSES[0].keys)
    lines = witness._own_lines(untrusted, TEXT)
    assert set(lines) <= set(parse_cosignatures(answer()))


def read_key(untrusted: bytes) -> None:
    """A key file."""
    with tempfile.TemporaryDirectory(prefix="bauta-fuzz-") as folder:
        (Path(folder) / "key").write_bytes(untrusted)
        WitnessKey.read(Path(folder) / "key", lambda: "passphrase")


TARGETS = (
    Target(
        name="witness_policy",
        sender="whoever writes policies for others",
        parsers=("provenance.witness.policy.parse_policy",),
        parse=parse_policy,
        seeds=lambda: (POLICY, b"quorum none\n"),
        errors=(ProvenanceError,),
        tokens=(b"\nquorum none\n", b"\ngroup g any w1", b"\nlog ", b"\t", b"#"),
    ),
    Target(
        name="witnessed_note",
        sender="a front desk that somebody has taken over",
        parsers=(
            "provenance.witness.quorum.require_quorum",
            "provenance.witness.quorum.verified_cosignatures",
        ),
        parse=check_seen,
        seeds=lambda: (cosigned(note(), WITNESSES[:2]), cosigned(note(), WITNESSES)),
        errors=(ProvenanceError,),
    ),
    Target(
        name="witness_submission",
        sender=LOG_ADMIN,
        parsers=(
            "provenance.witness.submission.Submission.parse",
            "provenance.witness.memory.read_head",
            "provenance.checkpoint.CheckpointText.parse_extended",
            "console.witness_desk.WitnessDesk.add_checkpoint",
        ),
        parse=submit,
        seeds=lambda: (Submission(0, (), note()).to_bytes(),),
        errors=(ProvenanceError,),
        tokens=(b"old 00\n", b"old -1\n", b"A" * 43 + b"=\n"),
        examples=100,
    ),
    Target(
        name="witness_answer",
        sender="a witness that somebody has taken over",
        parsers=(
            "provenance.witness.submission.parse_cosignatures",
            "provenance.witness.submission.parse_known_size",
            "grpc_api.witnesses._Witness._own_lines",
        ),
        parse=read_answer,
        seeds=lambda: (answer(),),
        errors=(ProvenanceError,),
        tokens=("— ".encode(), b"409\n"),
    ),
    Target(
        name="witness_logs",
        sender="whoever asks a witness to watch a log",
        parsers=("provenance.witness.known_logs.parse_known_logs",),
        parse=parse_known_logs,
        seeds=lambda: (
            "\n".join(LOG.vkeys).encode(),
            f"# ours\nlog {LOG.vkeys[0]} https://log.test/\n".encode(),
        ),
        errors=(ProvenanceError,),
        tokens=(b"log ", b"\nwitness w\n", b"{"),
    ),
    Target(
        name="witness_key_file",
        sender="a witness's disk",
        parsers=("keyvault.key_file.key_parts",),
        parse=read_key,
        seeds=lambda: (_key_file(),),
        errors=(WitnessKeyError,),
        json=True,
    ),
)
