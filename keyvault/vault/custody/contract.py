"""The contract of a custodian of the master key. It is public: operators' packages implement it.

`docs/key_custody.md` is its manual; `tests/contract/test_custodians.py` is its test, for any backend.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Final

MASTER_KEY_BYTES: Final = 32
STORE_ID_BYTES: Final = 16
MAX_PARAMETERS_BYTES: Final = 16 << 10
"""As canonical JSON: room for any KMS's ciphertext."""

# A JSON object of short texts and whole numbers, nested at will.
Parameters = dict[str, Any]


class Custodian(ABC):
    """Keeps 32-byte master keys by a means of its own.

    Rules for whoever implements it:

    - `unwrap` gives back exactly the bytes that `wrap` was given, or raises `CustodyError`.
    - Both are bound to the store id: what was wrapped for one store does not unwrap for another.
    - The parameters lie open on a disk. They must be of no use to whoever has nothing else.
    - Neither the key nor a credential is logged, printed, or put in an exception.
    """

    kind: ClassVar[str]
    """Names it in the store's header."""

    @abstractmethod
    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        """Takes a master key into custody.

        Args:
            master_key: 32 bytes. Not kept, not changed.
            store_id: 16 random bytes that name the store; not secret.

        Returns:
            what the store's header keeps, without `kind`.

        Raises:
            CustodyError: with the reason.
        """

    @abstractmethod
    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        """Writes the master key into a buffer of 32 bytes.

        Args:
            parameters: what `wrap` returned. They were on a disk: treat them as anybody's.
            store_id: as given to `wrap`.
            into: protected memory; the key goes nowhere else.

        Raises:
            CustodyError: with the reason; what the buffer then holds is of no use.
        """

    def close(self) -> None:  # noqa: B027 - most custodians hold nothing between two calls
        """Forgets PINs and credentials."""
