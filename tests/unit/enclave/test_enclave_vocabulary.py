"""Words that two packages spell: they must agree, or a proof could not be written."""

from __future__ import annotations

import errno
from typing import get_args

import pytest

from anonymizer.added import KINDS
from anonymizer.enrolled.manifest import FACE_EMBEDDING
from anonymizer.errors import MESSAGES, AnonymizerError
from anonymizer.face_manifests import GENERATOR, SOURCE_FACE
from anonymizer.manifest import added_name
from anonymizer.models import (
    ACTIVITY,
    BODY,
    FACE_MESH,
    FULL_RANGE,
    IRIS,
    PINNED_SHA256,
    READER,
    RECOGNIZER,
    SPEAKERS,
    VOICE_DECODER,
    VOICE_ENCODER,
)
from anonymizer.settings import DETECTORS, EFFECTS_OF, STEADY_CAMERA, Kind
from enclave.errors import EnclaveError, OrderError, PreambleError, TermsError, WallError, WorkerError
from enclave.policy import covers, document
from enclave.policy.results import RECOGNIZERS
from enclave.wall import ALL_WALLS
from enclave.worker.failures import INTERNAL_ERROR, published_code
from keyvault.age import AgePayloadCorruptError
from provenance.statements import vocabulary


def test_every_wall_can_stand_in_a_statement() -> None:
    assert set(ALL_WALLS) == set(vocabulary.WALLS)
    assert len(set(ALL_WALLS)) == len(ALL_WALLS)


def test_every_word_of_a_policy_can_stand_in_a_statement() -> None:
    assert set(document.MODES) == set(vocabulary.MODES)
    asked_for = {
        "face": covers.FACE_EFFECTS,
        "person": covers.PEOPLE_EFFECTS,
        "text": covers.TEXT_EFFECTS,
        "plate": covers.TEXT_EFFECTS,
    }
    assert asked_for == EFFECTS_OF
    assert {effect for effects in asked_for.values() for effect in effects} == set(vocabulary.EFFECTS)


def test_every_detector_that_a_policy_may_ask_for_can_be_there_and_stand_in_a_statement() -> None:
    asked_for = {
        "face": covers.FACE_DETECTORS,
        "person": covers.PEOPLE_DETECTORS,
        "text": covers.TEXT_DETECTORS,
        "plate": covers.PLATE_DETECTORS,
    }
    assert asked_for == DETECTORS
    # One of them is no model, one asks for two, and four find nothing: effects follow or make a face by them.
    names = {name for names in asked_for.values() for name in names} - {STEADY_CAMERA}
    names |= {BODY, FACE_MESH, IRIS, SOURCE_FACE, GENERATOR, FACE_EMBEDDING}
    # And those of voices, of which a policy names the recognizer of words alone.
    names |= {SPEAKERS, ACTIVITY, VOICE_ENCODER, VOICE_DECODER, *RECOGNIZERS}
    # And those that only attack, which no policy names either.
    names |= {FULL_RANGE, READER}
    assert names == set(vocabulary.MODELS)
    assert set(PINNED_SHA256) | {RECOGNIZER} | {added_name(kind) for kind in KINDS} == set(vocabulary.MODELS)
    assert set(get_args(Kind)) - {"face"} == set(vocabulary.KINDS)


def test_every_media_error_may_leave_the_wall() -> None:
    for code in MESSAGES:
        assert published_code(AnonymizerError(code)) == code


FAILURES: dict[str, tuple[BaseException, str]] = {
    "a worker's own": (WorkerError("x", "terms_mismatch"), "terms_mismatch"),
    "a preamble": (PreambleError("x"), "preamble_invalid"),
    "terms": (TermsError("x", "recipient_invalid"), "recipient_invalid"),
    "an order": (OrderError("x"), "order_invalid"),
    "a wall": (WallError("x"), "wall_failed"),
    "a chunk": (AgePayloadCorruptError("x"), "age_payload_corrupt"),
    "a full disk": (OSError(errno.ENOSPC, "x"), "storage_full"),
    "a quota": (OSError(errno.EDQUOT, "x"), "storage_full"),
    "a file-size limit": (OSError(errno.EFBIG, "x"), "result_too_large"),
    "another system error": (OSError(errno.EPERM, "SECRET"), INTERNAL_ERROR),
    "a defect": (KeyError("SECRET"), INTERNAL_ERROR),
    "an import that the wall refuses": (ModuleNotFoundError("SECRET"), INTERNAL_ERROR),
    "a way out": (SystemExit("SECRET"), INTERNAL_ERROR),
    "an unpublished code": (EnclaveError("x", "SECRET"), INTERNAL_ERROR),
}


@pytest.mark.parametrize(("failure", "code"), FAILURES.values(), ids=FAILURES.keys())
def test_only_published_codes_leave(failure: BaseException, code: str) -> None:
    assert published_code(failure) == code
    assert code in vocabulary.FAILURE_CODES
