"""The review package: what a stranger's process made is read strictly before a person sees any of it."""

from __future__ import annotations

from typing import Any

import pytest

from enclave.errors import ReviewError
from enclave.policy.review import MAX_RECORD_BYTES
from enclave.review import package as packages
from enclave.review.decisions import MAX_SPEAKERS
from enclave.review.package import MAGIC, ReviewPackage, parse_package
from enclave.review.sheet import MAX_JPEG_BYTES, MAX_THUMBNAILS, MAX_TRACKS, MAX_VIEWS
from enclave.review.speakers import MAX_TURNS
from provenance import canonical
from provenance.encoding import base64_text
from tests.unit.enclave.review_makers import (
    EVERY_DECISION,
    RECORD,
    a_jpeg,
    a_package,
    a_sheet,
    a_track,
)


def test_a_package_comes_back_as_it_went() -> None:
    package = a_package(decisions=EVERY_DECISION)
    assert parse_package(package.to_bytes()) == package


def test_a_still_has_a_sheet_too() -> None:
    package = a_package(media_type="image/png", frames=1, duration_ms=0, tracks=(a_track(frames=1),))
    assert parse_package(package.to_bytes()) == package


def test_sound_alone_has_a_sheet_too() -> None:
    package = a_package(media_type="audio/mp4", width=0, height=0, frames=0, tracks=(), views=(), unlisted={})
    assert parse_package(package.to_bytes()) == package


def changed(**members: Any) -> bytes:
    """A package whose sheet says something else; None leaves a member out."""
    said = {**a_sheet().to_object(), **members}
    sheet = canonical.dumps({key: value for key, value in said.items() if value is not None})
    return MAGIC + sheet + b"\n" + RECORD


def with_track(**members: Any) -> bytes:
    """A package with one track that says something else."""
    return changed(tracks=[{**a_track().to_object(), **members}])


def with_thumbnail(**members: Any) -> bytes:
    """A package with one thumbnail that says something else."""
    thumbnail = a_track().strip[0].to_object()
    return with_track(strip=[{**thumbnail, **members}])


def with_speaker(**members: Any) -> bytes:
    """A package with one voice that says something else."""
    return changed(speakers=[{**a_sheet().speakers[0].to_object(), **members}])


def as_text(picture: bytes) -> str:
    """A picture as a sheet holds it."""
    return base64_text(picture)


BAD: dict[str, bytes] = {
    "nothing": b"",
    "another kind of file": b"bauta.review/v2\n" + a_package().to_bytes()[len(MAGIC) :],
    "a sheet without an end": MAGIC + b"{" * 100,
    "a sheet that is no JSON": MAGIC + b"{\n" + RECORD,
    "a sheet with spaces": MAGIC + b'{"format": 1}\n' + RECORD,
    "no record": a_package().to_bytes().removesuffix(RECORD),
    "another record": a_package().to_bytes() + b"x",
    "half a record": a_package().to_bytes()[:-1],
    "another format": changed(format="bauta.sheet/v2"),
    "a member too few": changed(job=None),
    "a member too many": changed(name="x"),
    "a job that is a path": changed(job="../" * 10 + "xy"),
    "a policy with markup in its name": changed(policy="<script>"),
    "a mode with markup": changed(mode="<b>"),
    "an unknown media type": changed(media_type="text/html"),
    "no width": changed(width=0),
    "a width beyond any picture": changed(width=1 << 20),
    "no frames": changed(frames=0),
    "a word that nobody knows": changed(may=["uncover"]),
    "words out of order": changed(may=["keep", "cover"]),
    "a word twice": changed(may=["keep", "keep"]),
    "an effect that nobody knows": changed(effects={"face": ["<img>"]}),
    "effects of an unknown kind": changed(effects={"soul": ["mosaic"]}),
    "effects that are a list": changed(effects=["mosaic"]),
    "a role with markup": changed(roles=["<b>teacher</b>"]),
    "a role twice": changed(roles=["teacher", "teacher"]),
    "a decision that is none": changed(decisions=[{"do": "uncover"}]),
    "two tracks with one number": changed(tracks=[a_track().to_object()] * 2),
    "more tracks than a sheet has": changed(
        tracks=[a_track(number, strip=()).to_object() for number in range(MAX_TRACKS + 1)]
    ),
    "a track of an unknown kind": with_track(kind="soul"),
    "a track under an unknown effect": with_track(effect="javascript:"),
    "a track with a longer strip": with_track(strip=[a_track().strip[0].to_object()] * (MAX_THUMBNAILS + 1)),
    "a box outside its thumbnail": with_thumbnail(box=[0, 0, 10_001, 10]),
    "a picture that is text": with_thumbnail(jpeg="<svg onload=alert(1)>"),
    "a picture that is another format": with_thumbnail(jpeg=as_text(b"\x89PNG\r\n\x1a\n" + bytes(64))),
    "a picture that is cut": with_thumbnail(jpeg=as_text(a_jpeg()[:-1])),
    "a picture beyond its size": with_thumbnail(
        jpeg=as_text(a_jpeg()[:-2] + bytes(MAX_JPEG_BYTES) + b"\xff\xd9")
    ),
    "more views than a sheet has": changed(views=[{"at_ms": 0, "jpeg": as_text(a_jpeg())}] * (MAX_VIEWS + 1)),
    "a voice under an unknown effect": with_speaker(effect="javascript:"),
    "a voice out of order": with_speaker(speaker=1),
    "a voice twice": changed(speakers=[a_sheet().speakers[0].to_object()] * 2),
    "a voice with what it says": with_speaker(words="<b>"),
    "a voice that never speaks": with_speaker(count=0),
    "a turn of nothing": with_speaker(turns=[[5, 5]]),
    "a turn of one end": with_speaker(turns=[[5]]),
    "a turn that is true": with_speaker(turns=[[False, True]]),
    "a turn that is an object": with_speaker(turns=[{"from": 1, "to": 2}]),
    "turns out of order": with_speaker(turns=[[5, 9], [0, 3]]),
    "turns that overlap": with_speaker(turns=[[0, 5], [4, 9]]),
    "more turns than a sheet has": with_speaker(turns=[[n, n + 1] for n in range(MAX_TURNS + 1)]),
    "more voices than a sheet has": changed(
        speakers=[
            {**a_sheet().speakers[0].to_object(), "speaker": number} for number in range(MAX_SPEAKERS + 1)
        ]
    ),
    "an effect on a voice that is for pictures": changed(effects={"voice": ["mosaic"]}),
    "a video of no frames with voices": changed(media_type="video/mp4", frames=0, width=0, height=0),
    "an unlisted kind that is none": changed(unlisted={"<b>": 1}),
    "nothing unlisted, said aloud": changed(unlisted={"text": 0}),
}


@pytest.mark.parametrize("untrusted", BAD.values(), ids=BAD.keys())
def test_what_is_no_package_is_refused(untrusted: bytes) -> None:
    with pytest.raises(ReviewError) as caught:
        parse_package(untrusted)
    assert caught.value.code in {"review_package_invalid", "decisions_invalid"}
    assert "<" not in str(caught.value)


def test_a_sheet_beyond_its_size_is_refused_by_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = a_package().to_bytes()
    monkeypatch.setattr(packages, "MAX_SHEET_BYTES", 1000)
    with pytest.raises(ReviewError):
        a_package().to_bytes()
    with pytest.raises(ReviewError):
        parse_package(whole)


def test_a_record_has_its_bounds() -> None:
    for record in (b"", bytes(MAX_RECORD_BYTES + 1)):
        with pytest.raises(ReviewError):
            ReviewPackage(a_sheet(), record)
