"""One answer to a child, or the code of the refusal: nothing else of a failure leaves the vault."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from keyvault.vault.errors import VaultRequestError
from protos.bauta.internal.v1.release_pb2 import (
    ClaimResponse,
    DeriveResponse,
    ReleaseOffer,
    ReleaseResponse,
    RingResponse,
    WrappedKeysResponse,
)

AnswerT = TypeVar(
    "AnswerT",
    ReleaseOffer,
    ReleaseResponse,
    DeriveResponse,
    RingResponse,
    ClaimResponse,
    WrappedKeysResponse,
)

_logger = logging.getLogger("keyvault")


def answered(answer: Callable[[], AnswerT], kind: type[AnswerT]) -> AnswerT:
    """Gives the answer, or one with the code of the refusal.

    Args:
        answer: makes it.
        kind: what it makes.
    """
    try:
        return answer()
    except VaultRequestError as refusal:
        return kind(error_code=refusal.code)
    except Exception as defect:
        # As for the front desk: the vault lives on, and nothing of a request gets into a log.
        _logger.error("release failed: %s", type(defect).__name__)
        return kind(error_code="vault_internal_error")
