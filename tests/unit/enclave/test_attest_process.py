"""The process tier: a release counts when the trusted node signed it, and is called software's own word."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey

from console import main, output
from enclave.attest import EvidenceError, EvidenceRefusedError, Expected, show_evidence, verify_evidence
from enclave.attest.process import OWN_WORD
from provenance.dsse import Envelope, Signature, sign_envelope
from provenance.keys import HybridPublicKey
from provenance.note import ed25519_vkey, mldsa44_cosigner_vkey
from provenance.statements import FailureFacts, ReleaseFacts
from provenance.trust import Trust

ORIGIN = "bauta.test/log"
MEASUREMENT = hashlib.sha256(b"measurement").digest()
EXPECTED = Expected(at=None, measurement=MEASUREMENT)


class Node:
    """Signs as a vault's node does."""

    def __init__(self, name: str) -> None:
        seed = hashlib.sha256(name.encode()).digest()
        self._ed25519 = Ed25519PrivateKey.from_private_bytes(seed)
        self._mldsa65 = MLDSA65PrivateKey.from_seed_bytes(seed)
        self.public = HybridPublicKey(
            ed25519=self._ed25519.public_key().public_bytes_raw(),
            mldsa65=self._mldsa65.public_key().public_bytes_raw(),
        )

    def sign(self, message: bytes, algorithms: Any = ()) -> tuple[Signature, ...]:
        ed25519_id, mldsa65_id = self.public.key_ids
        return (
            Signature(ed25519_id, self._ed25519.sign(message)),
            Signature(mldsa65_id, self._mldsa65.sign(message)),
        )


NODE = Node("node")
LOG_ED25519 = Ed25519PrivateKey.from_private_bytes(b"l" * 32).public_key().public_bytes_raw()
LOG_MLDSA44 = MLDSA44PrivateKey.from_seed_bytes(b"l" * 32).public_key().public_bytes_raw()
TRUST = Trust(
    NODE.public, ORIGIN, (ed25519_vkey(ORIGIN, LOG_ED25519), mldsa44_cosigner_vkey(ORIGIN, LOG_MLDSA44))
)
FACTS = ReleaseFacts(
    job_id="0123456789abcdef" * 2,
    tier="process",
    walls=("landlock_fs", "net_namespace", "seccomp"),
    measurement=MEASUREMENT.hex(),
    policy_sha256="1" * 64,
    terms_sha256="2" * 64,
    upload_header_sha256="3" * 64,
    worker_ed25519=Node("worker").public.ed25519,
    worker_mldsa65=Node("worker").public.mldsa65,
    released_at="2026-11-21T10:00:01Z",
)


def release(node: Node = NODE) -> Envelope:
    """A signed release."""
    return sign_envelope(FACTS.to_statement(), node)


def check(untrusted: bytes, expected: Expected = EXPECTED, trust: Trust | bytes | None = TRUST) -> Any:
    """Verifies as the command line does."""
    return verify_evidence("process", untrusted, expected, trust=trust)


def refused(code: str, step: str, act: Callable[[], object]) -> None:
    """Insists on a refusal by name."""
    with pytest.raises(EvidenceRefusedError) as caught:
        act()
    assert (caught.value.code, caught.value.step) == (code, step)


@pytest.mark.parametrize("tail", [b"", b"\n"])
@pytest.mark.parametrize("trust", [TRUST, TRUST.to_bytes()])
def test_a_release_by_the_trusted_node_passes_and_is_labelled(tail: bytes, trust: Trust | bytes) -> None:
    verified = check(release().to_bytes() + tail, trust=trust)
    assert (verified.tier, verified.measurement) == ("process", MEASUREMENT)
    assert verified.warnings == (OWN_WORD,)
    assert "does not exclude root on the host" in OWN_WORD
    assert verified.moment == datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC)
    assert verified.facts["walls"] == FACTS.walls
    assert len(verified.steps) == 4


def test_without_an_expected_measurement_it_warns() -> None:
    assert any("any worker" in warning for warning in check(release().to_bytes(), Expected(at=None)).warnings)


def test_another_nodes_release_is_refused() -> None:
    refused(
        "evidence_chain_untrusted", "signature_holds", lambda: check(release(Node("stranger")).to_bytes())
    )


def test_another_measurement_is_refused() -> None:
    expected = Expected(at=None, measurement=bytes(32))
    refused(
        "evidence_measurement_wrong", "measurement_expected", lambda: check(release().to_bytes(), expected)
    )


def test_a_changed_release_is_refused_wherever_it_was_changed() -> None:
    sound = release().to_bytes()
    check(sound)
    for position in range(0, len(sound), 23):
        changed = bytearray(sound)
        changed[position] ^= 0x01
        with pytest.raises(EvidenceRefusedError) as caught:
            check(bytes(changed))
        assert caught.value.code in {
            "evidence_malformed",
            "evidence_signature_wrong",
            "evidence_chain_untrusted",
        }


def test_a_changed_statement_under_old_signatures_is_refused() -> None:
    sound = release()
    changed = Envelope(sound.payload.replace(b"seccomp", b"limits\\u0000"), sound.signatures)
    refused("evidence_malformed", "evidence_well_formed", lambda: check(changed.to_bytes()))
    changed = Envelope(sound.payload.replace(b"landlock_fs", b"empty_root"), sound.signatures)
    refused("evidence_signature_wrong", "signature_holds", lambda: check(changed.to_bytes()))


def test_another_statement_of_the_node_is_no_release() -> None:
    failure = FailureFacts(job_id="0" * 32, code="media_corrupt", failed_at="2026-11-21T10:00:00Z")
    signed = sign_envelope(failure.to_statement(), NODE).to_bytes()
    refused("evidence_malformed", "evidence_well_formed", lambda: check(signed))


@pytest.mark.parametrize(
    "untrusted", [b"", b"{}", b"[]", b"\xff", b'{"evidence":[]}\n', b'{"evidence":' * 50]
)
def test_other_bytes_are_refused(untrusted: bytes) -> None:
    refused("evidence_malformed", "evidence_well_formed", lambda: check(untrusted))


def test_a_trust_file_is_needed_and_must_be_one() -> None:
    with pytest.raises(EvidenceError) as caught:
        check(release().to_bytes(), trust=None)
    assert caught.value.code == "evidence_trust_invalid"
    refused("evidence_trust_invalid", "trust_readable", lambda: check(release().to_bytes(), trust=b"{}"))


@pytest.mark.parametrize(
    "expected",
    [
        Expected(at=None, nonce=b"n"),
        Expected(at=None, report_data=b"x"),
        Expected(at=None, min_tcb={"snp": 1}),
        Expected(at=None, measurement=bytes(48)),
    ],
)
def test_what_no_release_could_meet_is_refused_as_such(expected: Expected) -> None:
    with pytest.raises(EvidenceError) as caught:
        check(release().to_bytes(), expected)
    assert caught.value.code == "evidence_expectation_unfit"


def test_showing_a_release_shows_its_claims() -> None:
    shown = show_evidence("process", release().to_bytes())
    assert (shown["job_id"], shown["worker_ed25519"]) == (FACTS.job_id, FACTS.worker_ed25519.hex())


def test_the_command_verifies_and_says_whose_word_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "release.json").write_bytes(release().to_bytes())
    (tmp_path / "trust.json").write_bytes(TRUST.to_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output.MODE, "as_json", False)
    arguments = "bauta evidence verify release.json --format process --trust trust.json --measurement"
    for measurement, code in ((MEASUREMENT.hex(), 0), ("00" * 32, 1)):
        monkeypatch.setattr("sys.argv", [*arguments.split(), measurement])
        with pytest.raises(SystemExit) as caught:
            main.run()
        assert caught.value.code == code
    assert f"! {OWN_WORD}" in capsys.readouterr().out
