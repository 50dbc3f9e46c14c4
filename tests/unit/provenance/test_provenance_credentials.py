"""Manifests that we make, judged by the c2pa library; and what it does not see, shown."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import cv2
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.credentials.assertions import actions, data_hash
from provenance.credentials.carriers import CARRIERS, mp4
from provenance.credentials.claim import Claim
from provenance.credentials.embedding import with_credentials
from provenance.credentials.reading import (
    CredentialsError,
    CredentialsUncheckedError,
    ReadManifest,
    _settings,
    judge,
    read_manifest,
)
from provenance.errors import FormatError
from provenance.statements import vocabulary
from tests.unit.provenance.credential_makers import (
    EVIDENCE_SHA256,
    LOG_ORIGIN,
    MEDIA_TYPES,
    SUFFIXES,
    Signer,
    pixels,
    plain,
    signed,
)

every_format = pytest.mark.parametrize("media_type", MEDIA_TYPES)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer()


def read(content: bytes, media_type: str, *roots: bytes) -> ReadManifest:
    return read_manifest(io.BytesIO(content), media_type, roots)


def report(content: bytes, media_type: str, root: bytes) -> Any:
    with (
        c2pa.Context(c2pa.Settings.from_dict(_settings([root]))) as context,
        c2pa.Reader(media_type, io.BytesIO(content), context=context) as reader,
    ):
        return json.loads(reader.crjson())


@every_format
def test_a_manifest_is_trusted_and_says_what_was_done(media_type: str, signer: Signer) -> None:
    manifest = read(signed(media_type, signer), media_type, signer.root)
    assert manifest == ReadManifest(
        actions=("c2pa.created", "c2pa.filtered", "c2pa.edited", "c2pa.edited.metadata", "c2pa.transcoded"),
        evidence_sha256=EVIDENCE_SHA256.hex(),
        log_origin=LOG_ORIGIN,
    )


@every_format
def test_a_stranger_in_a_process_of_its_own_reads_trusted(
    media_type: str, signer: Signer, tmp_path: Path
) -> None:
    """Nothing of ours is loaded there: the c2pa library, and the one root as PEM."""
    file = tmp_path / "result"
    file.write_bytes(signed(media_type, signer))
    script = (
        "import c2pa, json, sys\n"
        "context = c2pa.Context(c2pa.Settings.from_dict(json.load(sys.stdin)))\n"
        "with open(sys.argv[1], 'rb') as file, c2pa.Reader(sys.argv[2], file, context=context) as reader:\n"
        "    manifest = json.loads(reader.crjson())['manifests'][0]\n"
        "    print(reader.get_validation_state(), json.dumps(manifest['validationResults']))\n"
        "assert not any(name.startswith(('provenance', 'keyvault')) for name in sys.modules)\n"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", script, str(file), media_type],
        input=json.dumps(_settings([signer.root])),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    state, _, results = told.partition(" ")
    assert state == "Trusted"
    assert json.loads(results)["failure"] == []
    codes = {item["code"] for item in json.loads(results)["informational"]}
    assert codes <= {"signingCredential.ocsp.skipped"}


@every_format
def test_the_picture_is_the_same_with_a_manifest(media_type: str, signer: Signer) -> None:
    before, after = plain(media_type), signed(media_type, signer)
    assert pixels(media_type, after) == pixels(media_type, before)
    assert 1500 < len(after) - len(before) < 4096


@every_format
def test_a_manifest_holds_three_assertions_and_nothing_about_source_device_or_time(
    media_type: str, signer: Signer
) -> None:
    content = signed(media_type, signer)
    document = report(content, media_type, signer.root)
    [manifest] = document["manifests"]
    binding = "c2pa.hash.bmff.v3" if media_type.endswith("/mp4") else "c2pa.hash.data"
    assert set(manifest["assertions"]) == {"c2pa.actions.v2", "org.bauta.evidence", binding}
    assert manifest["claim.v2"]["claim_generator_info"] == {"name": "Bauta"}
    for word in ("ingredient", "thumbnail", "exif", "stds.", "c2pa.metadata", "softwareAgent", '"when"'):
        assert word not in json.dumps(manifest["assertions"]) + json.dumps(manifest["claim.v2"])
    assert "sigTst" not in json.dumps(document)


def test_the_manifests_name_says_nothing_that_the_evidence_does_not(signer: Signer) -> None:
    names = set()
    for media_type in MEDIA_TYPES:
        [manifest] = report(signed(media_type, signer), media_type, signer.root)["manifests"]
        names.add((manifest["label"], manifest["claim.v2"]["instanceID"]))
    [(label, instance)] = names
    assert re.fullmatch(
        r"urn:c2pa:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", label
    )
    assert label.removeprefix("urn:c2pa:") == instance.removeprefix("xmp:iid:")


@pytest.mark.parametrize(
    ("covered", "audio", "said"),
    [
        ({"face": "solid"}, "removed", ["c2pa.drawing", "c2pa.edited"]),
        ({"face": "blur"}, "kept", ["c2pa.filtered"]),
        ({"face": "mosaic"}, "none", ["c2pa.filtered"]),
        ({}, "removed", ["c2pa.edited"]),
        ({}, "none", []),
        (
            {"text": "blur", "face": "solid", "plate": "solid"},
            "none",
            ["c2pa.drawing"] * 2 + ["c2pa.filtered"],
        ),
    ],
)
def test_each_effect_has_its_action(
    covered: dict[str, str], audio: str, said: list[str], signer: Signer
) -> None:
    done = actions(covered, audio)
    file = io.BytesIO(plain("image/png"))
    evidence = (EVIDENCE_SHA256, LOG_ORIGIN)
    content = b"".join(with_credentials(file, "image/png", done, evidence, signer.chain, signer))
    told = read(content, "image/png", signer.root).actions
    assert told == ("c2pa.created", *said, "c2pa.edited.metadata", "c2pa.transcoded")


def test_credentials_do_not_say_that_all_is_gone_where_the_month_stays() -> None:
    gone, kept = (actions({"face": "solid"}, "none", month_stays=stays).content for stays in (False, True))
    assert b"Every metadata field was dropped." in gone
    assert b"Every metadata field was dropped, but for the month of capture where there was one." in kept


@every_format
def test_one_signature_is_asked_for(media_type: str) -> None:
    signer = Signer()
    signed(media_type, signer)
    assert len(signer.claims) == 1


@every_format
def test_every_flipped_byte_of_the_picture_is_seen(media_type: str, signer: Signer) -> None:
    content = signed(media_type, signer)
    start = content.rindex(b"mdat") + 8 if media_type.endswith("/mp4") else len(content) // 2
    if media_type == "image/webp":
        start = 100
    for at in (start, start + 333, start + 1024):
        changed = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
        with pytest.raises(CredentialsError) as reason:
            read(changed, media_type, signer.root)
        assert reason.value.code == "credentials_untrusted"


def _box(kind: bytes) -> Callable[[bytes], bytes]:
    return lambda content: content + struct.pack(">I4s", 13, kind) + b"hello"


APPENDED = {
    "free": (_box(b"free"), "credentials_untrusted"),
    "skip": (_box(b"skip"), "credentials_untrusted"),
    "moov": (_box(b"moov"), "credentials_untrusted"),
    # The specification leaves this kind of box out of every hash: only our statement's digest sees it.
    "mfra": (_box(b"mfra"), None),
}


@pytest.mark.parametrize("kind", APPENDED)
def test_what_is_appended_to_a_video(kind: str, signer: Signer) -> None:
    append, code = APPENDED[kind]
    content = append(signed("video/mp4", signer))
    if code is None:
        assert read(content, "video/mp4", signer.root).evidence_sha256 == EVIDENCE_SHA256.hex()
        return
    with pytest.raises(CredentialsError) as reason:
        read(content, "video/mp4", signer.root)
    assert reason.value.code == code


@every_format
def test_no_manifest_is_missed_and_no_other_root_believed(media_type: str, signer: Signer) -> None:
    with pytest.raises(CredentialsError) as reason:
        read(plain(media_type), media_type, signer.root)
    assert reason.value.code == "credentials_missing"
    with pytest.raises(CredentialsError) as reason:
        read(signed(media_type, signer), media_type, Signer().root)
    assert reason.value.code == "credentials_untrusted"


@every_format
def test_a_signature_by_another_key_is_refused_before_it_is_used(media_type: str, signer: Signer) -> None:
    for wrong in (
        Signer(),
        lambda _claim: bytes(64),
        lambda _claim: b"",
        lambda claim: signer(claim) + b"\0",
    ):
        with pytest.raises(FormatError) as reason:
            signed(media_type, signer, wrong)
        assert reason.value.code == "credentials_refused"


def test_somebody_elses_manifest_under_our_root_is_not_taken(signer: Signer, tmp_path: Path) -> None:
    """A manifest with an ingredient and a thumbnail, by the c2pa library, signed with our own key."""

    def sign(to_sign: bytes) -> bytes:
        pair = decode_dss_signature(signer.key.sign(to_sign, ec.ECDSA(SHA256())))
        return b"".join(number.to_bytes(32, "big") for number in pair)

    chain = x509.load_der_x509_certificate(signer.chain[0]).public_bytes(Encoding.PEM).decode()
    definition = {"claim_generator_info": [{"name": "other"}], "assertions": []}
    out = io.BytesIO()
    with (
        c2pa.Context(c2pa.Settings.from_dict(_settings([signer.root]))) as context,
        c2pa.Builder(definition, context) as builder,
        c2pa.Signer.from_callback(sign, c2pa.C2paSigningAlg.ES256, chain, None) as theirs,
    ):
        builder.set_intent(c2pa.C2paBuilderIntent.EDIT)
        builder.sign(theirs, "image/jpeg", io.BytesIO(plain("image/jpeg")), out)
    with pytest.raises(CredentialsError) as reason:
        read(out.getvalue(), "image/jpeg", signer.root)
    assert reason.value.code == "credentials_unexpected"


def test_a_certificate_that_has_ended_is_told_apart() -> None:
    ended = {"manifests": [{"validationResults": {"failure": [{"code": "signingCredential.expired"}]}}]}
    with pytest.raises(CredentialsUncheckedError):
        judge("Invalid", json.dumps(ended))
    ended["manifests"][0]["validationResults"]["failure"].append({"code": "assertion.dataHash.mismatch"})
    with pytest.raises(CredentialsError):
        judge("Invalid", json.dumps(ended))


@pytest.mark.parametrize(
    "said", ["", "[", "[]", "null", '{"manifests":[]}', '{"manifests":[1,2]}', "[" * 100_000]
)
def test_a_report_of_another_form_is_no_trust(said: str) -> None:
    with pytest.raises(CredentialsError):
        judge("Trusted", said)


def test_without_the_library_nothing_is_said(monkeypatch: pytest.MonkeyPatch, signer: Signer) -> None:
    monkeypatch.setattr("provenance.credentials.reading.is_readable_here", lambda: False)
    with pytest.raises(CredentialsUncheckedError):
        read(plain("image/png"), "image/png", signer.root)


NOT_A_CLAIM: dict[str, dict[str, Any]] = {
    "a short digest": {"actions_sha256": bytes(31)},
    "no digest": {"binding_sha256": b""},
    "a binding of another kind": {"binding_label": "c2pa.hash.boxes"},
    "evidence that is no digest": {"evidence_sha256": b"x"},
}


@pytest.mark.parametrize("name", NOT_A_CLAIM)
def test_what_is_no_claim(name: str) -> None:
    good = {
        "evidence_sha256": bytes(32),
        "log_origin": LOG_ORIGIN,
        "actions_sha256": bytes(32),
        "binding_label": "c2pa.hash.data",
        "binding_sha256": bytes(32),
    }
    Claim(**good)
    with pytest.raises(FormatError):
        Claim(**{**good, **NOT_A_CLAIM[name]})


def not_mp4(media_type: str) -> list[bytes]:
    good = plain(media_type)
    return [b"", good[:100], good + b"tail", good[8:], good + struct.pack(">I4s", 8, b"moof"), good * 2]


NOT_A_FILE = {
    "image/jpeg": [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0\xff\xff", plain("image/png")],
    "image/png": [b"", plain("image/png")[:20], plain("image/jpeg")],
    "image/webp": [b"", plain("image/webp") + b"tail", plain("image/webp")[:-2], plain("image/png")],
    "video/mp4": not_mp4("video/mp4"),
    "audio/mp4": not_mp4("audio/mp4"),
}


@every_format
def test_a_file_of_another_layout_gets_no_manifest_and_no_signature(media_type: str) -> None:
    for content in NOT_A_FILE[media_type]:
        signer = Signer()
        with pytest.raises(FormatError) as reason:
            signed(media_type, signer, content=content)
        assert reason.value.code == "credentials_unplaceable"
        assert not signer.claims


def test_chunk_offsets_that_no_longer_fit_are_not_wrapped_round() -> None:
    table = struct.pack(">I4sIII", 20, b"stco", 0, 1, 0xFFFF_FFF0)
    for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        table = struct.pack(">I4s", 8 + len(table), name) + table
    content = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + table
    with pytest.raises(FormatError) as reason:
        mp4.move_chunks(io.BytesIO(content), 16)
    assert reason.value.code == "credentials_unplaceable"
    file = io.BytesIO(content)
    mp4.move_chunks(file, 15)
    assert file.getvalue().endswith(b"\xff\xff\xff\xff")


def test_long_tables_move_whole_and_in_both_widths() -> None:
    for kind, width in ((b"stco", "I"), (b"co64", "Q")):
        count = 20_001
        entries = struct.pack(f">{count}{width}", *range(count))
        table = struct.pack(">I4sII", 16 + len(entries), kind, 0, count) + entries
        for name in (b"stbl", b"minf", b"mdia", b"trak", b"moov"):
            table = struct.pack(">I4s", 8 + len(table), name) + table
        file = io.BytesIO(struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 0) + table)
        mp4.move_chunks(file, 5000)
        moved = struct.unpack(f">{count}{width}", file.getvalue()[-len(entries) :])
        assert moved == tuple(range(5000, 5000 + count))


def test_memory_does_not_grow_with_the_video(signer: Signer) -> None:
    """The same file with 64 MB more of picture data takes no more than the pieces that it is read in."""

    def peak(padding: int) -> int:
        file = io.BytesIO(_with_more_pictures(plain("video/mp4"), padding))
        done, evidence = actions({"face": "solid"}, "none"), (EVIDENCE_SHA256, LOG_ORIGIN)
        tracemalloc.start()
        for _piece in with_credentials(file, "video/mp4", done, evidence, signer.chain, signer):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    small, large = peak(4 << 20), peak(68 << 20)
    assert large < small + (1 << 20)
    assert large < 8 << 20


def _with_more_pictures(content: bytes, padding: int) -> bytes:
    """An MP4 whose picture data is longer, behind what its tables point to."""
    at = content.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", content, at)
    return (
        content[:at]
        + struct.pack(">I", size + padding)
        + content[at + 4 : at + size]
        + bytes(padding)
        + content[at + size :]
    )


def test_a_video_of_more_than_four_gigabytes_has_another_header(signer: Signer) -> None:
    """The muxer's spare eight bytes and the short header become one long header, as it does beyond 4 GiB."""
    content = plain("video/mp4")
    at = content.index(b"mdat") - 4
    assert content[at - 8 : at] == struct.pack(">I4s", 8, b"free")
    (size,) = struct.unpack_from(">I", content, at)
    long = content[: at - 8] + struct.pack(">I4sQ", 1, b"mdat", size + 8) + content[at + 8 :]
    assert pixels("video/mp4", long) == pixels("video/mp4", content)
    carried = signed("video/mp4", signer, content=long)
    assert read(carried, "video/mp4", signer.root).log_origin == LOG_ORIGIN
    assert pixels("video/mp4", carried) == pixels("video/mp4", content)


STILLS = {
    "grey": (".jpg", (97, 131), []),
    "grey, odd sizes": (".png", (1, 3), []),
    "transparent": (".png", (97, 131, 4), []),
    "transparent WebP": (".webp", (97, 131, 4), []),
    "lossless WebP": (".webp", (97, 131, 3), [int(cv2.IMWRITE_WEBP_QUALITY), 101]),
    "a pixel": (".webp", (1, 1, 3), []),
}


@pytest.mark.parametrize("name", STILLS)
def test_stills_of_every_kind_carry_one(name: str, signer: Signer) -> None:
    suffix, shape, options = STILLS[name]
    media_type = {kind: known for known, kind in SUFFIXES.items()}[suffix]
    noise = np.random.default_rng(3).integers(0, 255, shape, dtype=np.uint8)
    done, encoded = cv2.imencode(suffix, noise, options)
    assert done
    carried = signed(media_type, signer, content=bytes(encoded))
    assert read(carried, media_type, signer.root).log_origin == LOG_ORIGIN
    assert pixels(media_type, carried) == pixels(media_type, bytes(encoded))


def test_every_result_type_has_a_carrier() -> None:
    assert set(CARRIERS) == set(vocabulary.MEDIA_TYPES) == set(MEDIA_TYPES)


def test_padding_makes_a_binding_longer_by_itself_alone() -> None:
    lengths = [len(data_hash(2, 2048, bytes(32), padding).content) for padding in (0, 1)]
    assert lengths[1] == lengths[0] + 1
