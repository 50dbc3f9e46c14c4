"""What a policy and a mode mean to the anonymizer: one line a field."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

from anonymizer import (
    FaceSettings,
    KeptRegion,
    LeakSettings,
    Limits,
    PeopleSettings,
    Role,
    Settings,
    TextSettings,
)
from anonymizer.settings import CoverSettings, Kind
from anonymizer.sound.effects import VoiceEffect
from enclave.order import JobLimits
from enclave.policy import (
    CoverPolicy,
    FacePolicy,
    Instructions,
    LeaksPolicy,
    PeoplePolicy,
    Policy,
    RoleCover,
    Terms,
)
from enclave.policy import KeptRegion as KeptPolicy
from enclave.policy.decisions import KEPT
from enclave.policy.instructions import NO_SOUND

# Each of the decoder, the detector and the encoder starts this many; together they stay below the wall's
# limit on threads, and more than this gains nothing.
_MOST_THREADS = 16


def settings_of(terms: Terms, told: Instructions | None = None, personas: bytes | None = None) -> Settings:
    """Gives the anonymizer's settings. Both sides check the words, so they are passed as they are.

    Args:
        terms: of the job.
        told: from inside the seal.
        personas: what the vault derived for the pseudonym's scope, 32 bytes; None without a pseudonym.
    """
    policy, told = terms.policy, told or Instructions()
    silent = told.sound == NO_SOUND
    job: dict[str, Any] = {
        "mode": terms.mode,
        "audio": NO_SOUND if silent else policy.audio.effect,
        "words": () if silent else policy.audio.words,
        "recognizer": "" if silent else policy.audio.recognizer,
        "captured": policy.metadata.captured,
        "sensor_noise": policy.camera.noise,
        "lossless": policy.is_lossless,
        "evidence": bool(policy.evidence),
        "labels": policy.labels,
        "leaks": _leaks(policy.leaks),
    }
    everybody = Settings(
        faces=FaceSettings(passes=policy.faces.passes, **_cover(policy.faces)),
        people=PeopleSettings(**_cover(policy.people), **_drawing(policy.people)) if policy.people else None,
        text=TextSettings(**_cover(policy.text_cover)) if policy.text_cover else None,
        plates=TextSettings(**_cover(policy.plates)) if policy.plates else None,
        keep=_regions(policy.keep),
        keep_skin=_regions(policy.keep_skin),
        personas=personas,
        pseudonym=told.pseudonym,
        threads=min(len(os.sched_getaffinity(0)), _MOST_THREADS),
        **job,
    )
    return replace(everybody, roles=_roles(policy, everybody, silent=silent))


def _roles(policy: Policy, everybody: Settings, *, silent: bool) -> tuple[Role, ...]:
    kinds: dict[str, Kind] = {"face": "face", "person": "person"}
    named = [
        Role(
            role.name,
            {
                kinds[kind]: _as_role(everybody.sought[kinds[kind]], cover)
                for kind, cover in role.covers.items()
            },
            # Where the submitter wants no sound, no role brings any of it back.
            audio=None if silent else cast("VoiceEffect | None", role.audio),
        )
        for role in policy.roles
    ]
    # What everybody is called whom nobody gave another role: under it a reviewer can put somebody back.
    unnamed = [Role(policy.default_role, {})] if policy.default_role else []
    return (*unnamed, *named)


def _as_role(everybody: CoverSettings, cover: RoleCover) -> CoverSettings | None:
    if cover.effect == KEPT:
        return None
    changed: dict[str, Any] = {"effect": cover.effect}
    if cover.shape is not None:
        changed["shape"] = cover.shape
    if cover.scale is not None:
        changed["scale"] = cover.scale
    return replace(everybody, **changed)


def _regions(regions: Sequence[KeptPolicy]) -> tuple[KeptRegion, ...]:
    return tuple(KeptRegion(region.left, region.top, region.right, region.bottom) for region in regions)


def _cover(cover: FacePolicy | CoverPolicy) -> dict[str, Any]:
    return {
        "effect": cover.effect,
        "shape": cover.shape,
        "scale": cover.scale,
        "threshold": cover.threshold,
        "linger_seconds": cover.linger_seconds,
        "lookahead_seconds": cover.lookahead_seconds,
        "detectors": cover.detectors,
    }


def _drawing(people: PeoplePolicy) -> dict[str, Any]:
    return {
        "outline": people.outline,
        "overlay": people.overlay,
        "smooth_outline": people.smooth_outline,
        "smooth_seconds": people.smooth_seconds,
    }


def _leaks(leaks: LeaksPolicy) -> LeakSettings:
    # What a policy does not say is the anonymizer's own floor.
    told: dict[str, Any] = {"look": leaks.look, **leaks.floors}
    return LeakSettings(**told)


def limits_of(limits: JobLimits) -> Limits:
    """Gives the anonymizer's limits."""
    return Limits(max_frame_pixels=limits.max_frame_pixels, max_frames=limits.max_frames)
