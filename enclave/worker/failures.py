"""Any failure behind the wall, as one published code. Messages and tracebacks stay where they are."""

from __future__ import annotations

import errno

from anonymizer.errors import AnonymizerError
from enclave.errors import EnclaveError
from keyvault.errors import KeyvaultError
from provenance.errors import ProvenanceError
from provenance.statements.vocabulary import FAILURE_CODES

INTERNAL_ERROR = "internal_error"

_CODE_OF_ERRNO = {
    errno.ENOSPC: "storage_full",
    errno.EDQUOT: "storage_full",
    # The file-size limit of the wall.
    errno.EFBIG: "result_too_large",
}


def published_code(failure: BaseException) -> str:
    """Gives the code that may leave the wall for a failure.

    Only words of the published list leave: whatever else a failure calls itself is an internal error.
    """
    match failure:
        case AnonymizerError() | EnclaveError() | KeyvaultError() | ProvenanceError():
            code = failure.code
        case MemoryError():
            code = "out_of_memory"
        case OSError(errno=number) if number in _CODE_OF_ERRNO:
            code = _CODE_OF_ERRNO[number]
        case _:
            code = INTERNAL_ERROR
    return code if code in FAILURE_CODES else INTERNAL_ERROR
