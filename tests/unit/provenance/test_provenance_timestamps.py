"""Other people's clocks: what counts, what fails, what is only told. The corpus has one specimen a defect."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.der import DerError, parse_der
from provenance.errors import FormatError, ProvenanceError
from provenance.proof import MAX_TIMESTAMP_BYTES, MAX_TIMESTAMPS, ProofFile
from provenance.timestamps import (
    TOLERANCE,
    Timestamp,
    read_root,
    read_timestamps,
    remarks_on,
    require_timestamps,
    with_timestamps,
)
from provenance.tokens import MAX_RESPONSE_BYTES, read_token, token_of
from provenance.trust import Trust
from provenance.verifier import VerificationError, VerifiedResult, verify_intake, verify_result
from tests.time_authority import STAMPED_AT, YEAR, integer, octets, oid, sequence, time_authority
from tests.unit.provenance.provenance_makers import NOW, RESULT, House, make_house

LOGGED_AT = int(STAMPED_AT.timestamp())
DIGEST = hashlib.sha256(b"an envelope").digest()
FINISHED_AT = "2026-11-21T10:00:09Z"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


def stamped(house: House, *changes: dict[str, Any]) -> ProofFile:
    """A proof with one token for each set of changes, all by one authority."""
    proof = ProofFile.from_bytes(house.prove_job())
    digest = proof.statement.digest
    return replace(proof, timestamps=tuple(time_authority().stamp(digest, **each) for each in changes))


def believing(house: House, *names: str, required: int = 0) -> Trust:
    """Somebody who believes these authorities."""
    roots = tuple(time_authority(name).root_der for name in names)
    return replace(house.trust, timestamp_roots=roots, required_timestamps=required)


def verified(proof: ProofFile, trust: Trust) -> VerifiedResult:
    return verify_result(io.BytesIO(RESULT), proof.to_bytes(), trust)


def status(result: VerifiedResult, step: str) -> str:
    return next(item.status for item in result.steps if item.step == step)


def test_a_token_says_when_whose_and_how_exactly() -> None:
    authority = time_authority()
    exact = sequence(integer(2), b"\x80\x02\x01\xf4", b"\x81\x01\x07")
    (stamp,) = read_timestamps(
        [authority.stamp(DIGEST, nonce=77, accuracy=exact)], DIGEST, [authority.root_der]
    )
    assert stamp.token.at == STAMPED_AT
    assert stamp.token.accuracy == timedelta(seconds=2, milliseconds=500, microseconds=7)
    assert (stamp.token.serial, stamp.token.nonce, stamp.token.imprint) == (0x5EED, 77, DIGEST)
    assert stamp.token.certificate == authority.certificate
    assert stamp.root is not None
    assert stamp.root.certificate == authority.root
    assert stamp.root.name == "CN=Test root time"


@pytest.mark.parametrize(
    "curve", [ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1()], ids=lambda item: item.name
)
def test_the_curves_that_count(curve: ec.EllipticCurve) -> None:
    authority = time_authority(curve.name, curve=curve)
    (stamp,) = read_timestamps([authority.stamp(DIGEST)], DIGEST, [authority.root_der])
    assert stamp.root is not None


def test_a_key_that_is_too_small_does_not_count() -> None:
    small = time_authority("small", curve=ec.SECP224R1())
    with pytest.raises(FormatError) as caught:
        read_token(small.stamp(DIGEST))
    assert caught.value.code == "timestamp_unknown_algorithm"


def test_a_flipped_byte_changes_nothing_that_is_believed() -> None:
    """Whatever byte is flipped: a named error, nobody's token, or one that says the same as before.

    The last is so for the few bytes that nobody signs, such as a version number of the frame.
    """
    authority = time_authority()
    token = authority.stamp(DIGEST, certificates=(authority.certificate,))
    honest = read_token(token)
    harmless = 0
    for position in range(len(token)):
        flipped = bytearray(token)
        flipped[position] ^= 1
        stamp = _read_or_refused(bytes(flipped), authority.root_der)
        if stamp is not None and stamp.root is not None:
            assert replace(stamp.token, der=honest.der) == honest, position
            harmless += 1
    assert harmless < 10


def _read_or_refused(token: bytes, root: bytes) -> Timestamp | None:
    try:
        return read_timestamps([token], DIGEST, [root])[0]
    except ProvenanceError as error:
        if not error.code.startswith("timestamp_"):
            raise
        return None


def test_no_shortened_token_is_read() -> None:
    token = time_authority().stamp(DIGEST)
    for size in range(len(token)):
        with pytest.raises(FormatError) as caught:
            read_token(token[:size])
        assert caught.value.code == "timestamp_malformed"


def test_a_token_of_the_largest_size_and_one_byte_more() -> None:
    with pytest.raises(FormatError, match="too large"):
        read_token(bytes(MAX_TIMESTAMP_BYTES + 1))
    with pytest.raises(FormatError) as caught:
        read_token(bytes(MAX_TIMESTAMP_BYTES))
    assert "too large" not in str(caught.value)


@pytest.mark.parametrize(
    ("encoded", "told"),
    [
        (b"", "ends too early"),
        (b"\x30", "ends too early"),
        (b"\x30\x01", "ends too early"),
        (b"\x30\x80\x00\x00", "shortest form"),
        (b"\x30\x81\x01\x00", "shortest form"),
        (b"\x30\x82\x00\x80" + bytes(128), "shortest form"),
        (b"\x30\x84\x00\x00\x00\x01\x00", "shortest form"),
        (b"\x1f\x81\x00\x00", "another type"),
        (b"\x30\x00\x00", "longer than it says"),
    ],
)
def test_only_der_is_read(encoded: bytes, told: str) -> None:
    with pytest.raises(DerError, match=told):
        parse_der(encoded)
    with pytest.raises(FormatError, match=told) as caught:
        read_token(encoded)
    assert caught.value.code == "timestamp_malformed"


@pytest.mark.parametrize(
    "dotted", ["1.2.840.113549.1.7.2", "2.16.840.1.101.3.4.2.1", "0.9", "2.999.3", "1.39.0"]
)
def test_object_identifiers(dotted: str) -> None:
    encoded = b"\x06\x03\x88\x37\x03" if dotted == "2.999.3" else oid(dotted)
    assert parse_der(encoded).oid() == dotted


def test_an_answer_is_reduced_to_its_token() -> None:
    """Texts that nobody signed go; certificates that came in any order are put into DER's."""
    authority = time_authority()
    token = authority.stamp(DIGEST)
    unsorted = authority.stamp(DIGEST, unsorted=True)
    with pytest.raises(FormatError):
        read_token(unsorted)
    talkative = sequence(integer(0), sequence(b"\x0c\x05hello"))
    for sent in (token, unsorted):
        kept = token_of(sequence(talkative, sent))
        assert b"hello" not in kept
        assert read_timestamps([kept], DIGEST, [authority.root_der])[0].root is not None
        assert token_of(read_token(kept).response) == kept


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (sequence(sequence(integer(2))), "timestamp_refused"),
        (sequence(sequence(integer(1)), b"\x30\x00"), "timestamp_refused"),
        (sequence(sequence(integer(0))), "timestamp_malformed"),
        (sequence(sequence(integer(0)), b"\x30\x00"), "timestamp_malformed"),
        (b"<html>not found</html>", "timestamp_malformed"),
        (b"", "timestamp_malformed"),
        (octets(b"granted"), "timestamp_malformed"),
        (bytes(MAX_RESPONSE_BYTES + 1), "timestamp_malformed"),
    ],
)
def test_answers_that_are_none(answer: bytes, code: str) -> None:
    with pytest.raises(ProvenanceError) as caught:
        token_of(answer)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("believed", "required", "outcome"),
    [
        ((), 0, "not asked"),
        (("other",), 0, "not asked"),
        (("time",), 0, "ok"),
        (("time",), 1, "ok"),
        (("time", "other"), 1, "ok"),
        (("other",), 1, "timestamp_missing"),
        (("time", "other"), 2, "timestamp_missing"),
    ],
)
def test_what_the_trust_file_demands_of_one_token(
    house: House, believed: tuple[str, ...], required: int, outcome: str
) -> None:
    proof, trust = stamped(house, {}), believing(house, *believed, required=required)
    if outcome == "timestamp_missing":
        with pytest.raises(VerificationError) as caught:
            verified(proof, trust)
        assert (caught.value.step, caught.value.code) == ("timestamps_believed", outcome)
    else:
        result = verified(proof, trust)
        assert status(result, "timestamps_believed") == outcome
        assert status(result, "timestamps_sound") == "ok"
        assert result.timestamps[0].token.at == STAMPED_AT


def test_one_key_under_two_certificates_is_one_authority() -> None:
    authority = time_authority()
    again = time_authority("time", root_serial=9)
    assert again.root_der != authority.root_der
    stamps = read_timestamps([authority.stamp(DIGEST)], DIGEST, [authority.root_der])
    more = read_timestamps([again.stamp(DIGEST, nonce=1)], DIGEST, [again.root_der])
    with pytest.raises(ProvenanceError, match="1 of them missing"):
        require_timestamps([*stamps, *more], 2)


def test_a_certificate_in_between_is_taken_out_of_the_token() -> None:
    authority = time_authority("deep", between=True)
    (stamp,) = read_timestamps([authority.stamp(DIGEST)], DIGEST, [authority.root_der])
    assert stamp.root is not None
    (stamp,) = read_timestamps(
        [authority.stamp(DIGEST, certificates=(authority.certificate,))], DIGEST, [authority.root_der]
    )
    assert stamp.root is None


def test_only_what_issued_itself_is_a_root() -> None:
    authority = time_authority("deep", between=True)
    assert read_root(authority.root_der).name == "CN=Test root deep"
    for der in (
        b"",
        b"\x30\x00",
        authority.certificate.public_bytes(Encoding.DER),
        authority.root_der + b"\0",
    ):
        with pytest.raises(FormatError) as caught:
            read_root(der)
        assert caught.value.code == "timestamp_root_malformed"


@pytest.mark.parametrize(
    ("late", "logged_at", "told"),
    [
        (timedelta(0), LOGGED_AT, []),
        (timedelta(0), None, []),
        (TOLERANCE, LOGGED_AT, []),
        (TOLERANCE + timedelta(seconds=1), LOGGED_AT, ["timestamp_far_from_log"]),
        (YEAR, LOGGED_AT, ["timestamp_far_from_log"]),
        (timedelta(0), (1 << 63) - 1, ["timestamp_far_from_log"]),
        (-TOLERANCE, LOGGED_AT, []),
        (-timedelta(hours=1), LOGGED_AT, ["timestamp_before_job"]),
    ],
)
def test_clocks_that_disagree_are_told(late: timedelta, logged_at: int | None, told: list[str]) -> None:
    authority = time_authority()
    token = authority.stamp(DIGEST, at=STAMPED_AT + late)
    stamps = read_timestamps([token], DIGEST, [authority.root_der])
    assert [remark.code for remark in remarks_on(stamps, FINISHED_AT, logged_at)] == told


def test_a_job_at_the_edge_of_the_calendar_is_no_crash() -> None:
    stamps = read_timestamps([time_authority().stamp(DIGEST)], DIGEST, [time_authority().root_der])
    for finished_at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        assert isinstance(remarks_on(stamps, finished_at, 0), tuple)


def test_no_clock_and_clocks_that_nobody_believes_are_told(house: House) -> None:
    assert [remark.code for remark in verified(stamped(house), house.trust).remarks] == ["timestamp_absent"]
    (remark,) = verified(stamped(house, {}), believing(house, "other")).remarks
    assert remark.code == "timestamp_not_believed"
    # The log of the tests signs hours before the job.
    (remark,) = verified(stamped(house, {}), believing(house, "time")).remarks
    assert remark.code == "timestamp_far_from_log"


def test_only_the_proof_of_a_result_is_stamped(house: House) -> None:
    intake = ProofFile.from_bytes(house.prove_intake())
    token = time_authority().stamp(intake.statement.digest)
    with pytest.raises(VerificationError) as caught:
        verify_intake(replace(intake, timestamps=(token,)).to_bytes(), house.trust, NOW)
    assert caught.value.step == "proof_well_formed"


def test_a_proof_that_is_full_takes_no_further_timestamp(house: House) -> None:
    proof = stamped(house)
    digest = proof.statement.digest
    full = with_timestamps(
        proof, [time_authority(str(number)).stamp(digest) for number in range(MAX_TIMESTAMPS)]
    )
    assert len(full.timestamps) == MAX_TIMESTAMPS
    assert with_timestamps(full, [time_authority("0").stamp(digest, nonce=1)]) == full
    with pytest.raises(FormatError) as caught:
        with_timestamps(full, [time_authority("one more").stamp(digest)])
    assert caught.value.code == "too_large"


def test_a_stamped_proof_is_checked_without_a_socket_or_a_process(house: House, tmp_path: Path) -> None:
    (tmp_path / "proof").write_bytes(stamped(house, {}).to_bytes())
    (tmp_path / "trust").write_bytes(believing(house, "time", required=1).to_bytes())
    (tmp_path / "result").write_bytes(RESULT)
    script = (
        "import sys, pathlib, provenance.verifier as v\n"
        "barred = {'socket', 'subprocess', 'sqlite3', 'urllib'}\n"
        "def watch(event, _):\n"
        "    if event.split('.')[0] in barred or event == 'os.system': raise OSError(event)\n"
        "sys.addaudithook(watch)\n"
        f"at = pathlib.Path({str(tmp_path)!r})\n"
        "proof, trust = (at/'proof').read_bytes(), (at/'trust').read_bytes()\n"
        "found = v.verify_result((at/'result').open('rb'), proof, trust)\n"
        "print(found.timestamps[0].token.at.isoformat())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == STAMPED_AT.isoformat(), done.stderr


def test_the_manual_names_every_code_and_no_other(repository: Path) -> None:
    sources = ["provenance/cms.py", "provenance/der.py", "provenance/timestamps.py", "provenance/tokens.py"]
    text = "".join((repository / name).read_text() for name in [*sources, "grpc_api/timestamps.py"])
    codes = set(re.findall(r'"(timestamp_[a-z_]+)"', text))
    assert len(codes) > 12
    manual = (repository / "docs" / "timestamps.md").read_text()
    # Of names that are not codes, the configuration's one and those of the steps look like codes.
    assert set(re.findall(r"`(timestamp_[a-z_]+)`", manual)) - {"timestamp_seconds"} == codes
