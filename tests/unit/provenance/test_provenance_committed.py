"""Who says that an original had these pieces: a statement, a recorder, or both, who then have to agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pieces_makers import FRAME_US, committed, noise, pieces
from provenance_makers import House, TestSigner, make_house

from provenance.checklist import VerificationError
from provenance.committed import Sources, verify_package, verify_part
from provenance.pieces.recording import sign_recording
from provenance.pieces.reveal import make_reveal
from provenance.trust import Trust

CAMERA = TestSigner("camera")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture(scope="module")
def proof(house: House) -> bytes:
    return house.prove_job(pieces=committed().root.hex())


def package() -> bytes:
    frames = committed().trees["frames"]
    shown = [(frames.describe(), frames.open([(2, 4)]))]
    return make_reveal(committed().commitment, shown, [2 * FRAME_US, 3 * FRAME_US]).to_bytes()


def recording(root: bytes | None = None, signer: TestSigner = CAMERA) -> bytes:
    return sign_recording(committed().root if root is None else root, signer).to_bytes()


def believing(house: House, *recorders: TestSigner) -> Trust:
    return replace(house.trust, recorders=tuple(signer.public for signer in recorders))


def checked(sources: Sources) -> dict[str, str]:
    """The outcome of each step; of a failed one its code."""
    try:
        steps = verify_part(sources, package(), lambda _: {"frames": pieces()["frames"][2:4]}).steps
    except VerificationError as error:
        return {step.step: error.code if step.step == error.step else step.status for step in error.steps}
    return {step.step: step.status for step in steps}


def test_either_is_enough_and_both_agree(house: House, proof: bytes) -> None:
    trust = believing(house, TestSigner("another"), CAMERA)
    by_proof = checked(Sources(trust, proof))
    by_camera = checked(Sources(trust.to_bytes(), None, recording()))
    by_both = checked(Sources(trust.to_bytes(), proof, recording()))
    assert "recording_signed" not in by_proof
    assert list(by_camera) == ["trust_readable", "recording_signed", "part_matches"]
    assert by_both == {**by_proof, "recording_signed": "ok"}
    for outcome in (by_proof, by_camera, by_both):
        assert set(outcome.values()) <= {"ok", "not asked"}
        assert outcome["part_matches"] == "ok"


def test_what_fails_and_where(house: House, proof: bytes) -> None:
    trust, other = believing(house, CAMERA), noise("other root", 32)
    signed, stated = "recording_signed", "original_committed"
    silent = house.prove_job("silent")
    # A true signature over another root, under which this one is written.
    borrowed = recording(other).replace(other.hex().encode(), committed().root.hex().encode())
    moved = house.prove_job("of another original", pieces=other.hex())
    table = {
        "nobody whom the reader knows": (
            Sources(believing(house, TestSigner("x")), None, recording()),
            signed,
            "pieces_not_signed",
        ),
        "no recorder at all": (
            Sources(house.trust, None, recording()),
            signed,
            "pieces_not_signed",
        ),
        "a recording that was asked for": (
            Sources(house.trust, proof, recording()),
            signed,
            "pieces_not_signed",
        ),
        "a recording that only lies beside, without a proof": (
            Sources(house.trust, None, recording(), recorder_asked=False),
            signed,
            "pieces_not_signed",
        ),
        "of another original": (
            Sources(trust, proof, recording(other)),
            signed,
            "recording_differs",
        ),
        "under a known key's name": (
            Sources(trust, proof, borrowed),
            signed,
            "pieces_not_signed",
        ),
        "no recording": (Sources(trust, None, b"{}"), signed, "pieces_malformed"),
        "a worker that commits to nothing": (
            Sources(trust, silent),
            stated,
            "pieces_not_stated",
        ),
        "a proof of another original": (Sources(trust, moved), "part_matches", "pieces_not_committed"),
        "no trust file": (Sources(b"{}", None, recording()), "trust_readable", "malformed"),
    }
    for name, (sources, step, code) in table.items():
        assert checked(sources)[step] == code, name


def test_a_readers_list_without_recorders_goes_by_the_proof(house: House, proof: bytes) -> None:
    outcome = checked(Sources(house.trust, proof, recording(), recorder_asked=False))
    assert outcome["recording_signed"] == "not asked"
    assert outcome["part_matches"] == "ok"


def test_without_a_decoder_the_last_step_is_never_ok(house: House, proof: bytes) -> None:
    verified = verify_package(Sources(house.trust, proof), package())
    assert verified.steps[-1].status == "not checked"
    assert verified.origin.root == committed().root
    foreign = house.prove_job("foreign", pieces=noise("x", 32).hex())
    for sources, untrusted in (
        (Sources(house.trust, foreign), package()),
        (Sources(house.trust, proof), package()[:-1]),
        (Sources(house.trust, proof), b""),
    ):
        with pytest.raises(VerificationError) as refused:
            verify_package(sources, untrusted)
        assert refused.value.step == "part_matches"
