"""What the tests of reviews build on: sheets, packages, decisions. Pictures are real JPEGs of nothing."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache
from typing import Any

import cv2
import numpy as np

from enclave.review.decisions import Decision, Decisions, Draw, Key, Mute, OnSpeaker, OnTrack, WholeFrame
from enclave.review.package import ReviewPackage
from enclave.review.sheet import Sheet, SheetTrack, Thumbnail, View
from enclave.review.speakers import SheetSpeaker

RECORD = b"sealed record" * 100
RECORD_SHA256 = hashlib.sha256(RECORD).hexdigest()

EVERY_DECISION: tuple[Decision, ...] = (
    OnTrack("cover", 1),
    OnTrack("keep", 2),
    OnTrack("stronger", 3),
    OnTrack("keep", 6, span=(0, 4000)),
    OnTrack("role", 4, "teacher"),
    OnTrack("effect", 5, "mosaic"),
    OnSpeaker("role", 0, "teacher"),
    OnSpeaker("effect", 1, "bleep"),
    Mute(500, 700, "remove"),
    WholeFrame(2000, 3000),
    Draw(0, 1500, (Key(0, (0, 0, 100, 100)), Key(1000, (9000, 9000, 10000, 10000)))),
)


@cache
def a_jpeg(shade: int = 90, width: int = 64, height: int = 36) -> bytes:
    """A grey picture."""
    done, jpeg = cv2.imencode(".jpg", np.full((height, width, 3), shade, np.uint8))
    assert done
    return jpeg.tobytes()


def a_track(track: int = 6, kind: str = "face", **changes: Any) -> SheetTrack:
    """One thing with a strip of two."""
    strip = tuple(Thumbnail(at, (2000, 2000, 8000, 8000), a_jpeg(50, 40, 40)) for at in (0, 900))
    made = SheetTrack(track, kind, "solid", 0, 960, 25, 210, 260, strip)
    return replace(made, **changes)


def a_sheet(**changes: Any) -> Sheet:
    """A sheet on which all can be decided, with five faces and a text."""
    made = Sheet(
        job="0123456789abcdef" * 2,
        policy="trial",
        policy_sha256="ab" * 32,
        mode="balanced",
        media_type="video/mp4",
        width=1280,
        height=720,
        frames=250,
        duration_ms=10_000,
        record_sha256=RECORD_SHA256,
        may=("cover", "draw", "effect", "keep", "mute", "role", "stronger", "whole_frame"),
        effects={"face": ("mosaic", "persona"), "voice": ("anonymize", "bleep", "remove")},
        roles=("student", "teacher"),
        decisions=(),
        tracks=(*(a_track(number) for number in range(1, 6)), a_track(8, "text")),
        unlisted={"text": 12},
        views=tuple(View(at, a_jpeg(70)) for at in (0, 2500, 5000, 7500)),
        speakers=(
            SheetSpeaker(0, "anonymize", 6000, 800, 2, ((0, 4000), (8000, 10_000))),
            SheetSpeaker(1, "anonymize", 4000, 0, 1, ((4000, 8000),)),
        ),
    )
    return replace(made, **changes)


def a_package(**changes: Any) -> ReviewPackage:
    """A package of such a sheet."""
    return ReviewPackage(a_sheet(**changes), RECORD)


def some_decisions(*decisions: Decision) -> Decisions:
    """Decisions about that package; by default one of each."""
    return Decisions(RECORD_SHA256, decisions or EVERY_DECISION)
