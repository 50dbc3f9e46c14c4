"""A PKCS#11 token (HSM, USB token): a wrapping key is locked by an AES-256 key that never leaves the token.

The token is asked for one thing, AES-CBC of 32 random bytes without padding (CKM_AES_CBC): nearly every token
that has AES has it, and a thief of the store who later owns a quantum computer gains nothing. That the answer
is whole, and belongs to this store, is checked outside the token: the wrapping key opens an authenticated
box that holds the master key (`local`). Why not GCM, key wrap or RSA: ADR 6.

The module's code runs in a child process (`apart`), and the master key never does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

from keyvault.vault.custody.apart import DEFAULT_TIMEOUT_SECONDS, call_apart
from keyvault.vault.custody.contract import MASTER_KEY_BYTES, Custodian, Parameters
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.local import hex_bytes, require_fields, unwrap_under, wrap_under
from keyvault.vault.custody.module import trusted_module
from keyvault.vault.memory import Secret

KEY_ID_BYTES: Final = 16
IV_BYTES: Final = 16
_LABEL_PREFIX = "bauta "


@dataclass(frozen=True)
class Token(Custodian):
    """Unlocks with a key on a PKCS#11 token. The key is made on the first start.

    Attributes:
        module: the vendor's shared library.
        label: the token's label.
        pin: its user PIN, inheritable; wiped by `close`.
        timeout_seconds: for one call, a touch of the token included.
    """

    module: Path
    label: str
    pin: Secret = field(repr=False)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    kind: ClassVar[str] = "pkcs11"

    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        """See `Custodian`. Makes a new key on the token.

        Raises:
            CustodyError: any vault_token_… code, vault_custodian_died or vault_custodian_timeout.
        """
        with Secret.random(MASTER_KEY_BYTES, inheritable=True) as wrapping_key:
            locked = self._call(lambda: self._lock(wrapping_key.view, store_id))
            return {**locked, "wrapped": wrap_under(wrapping_key.view, master_key, store_id)}

    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        """See `Custodian`.

        Raises:
            CustodyError: any vault_token_… code, vault_store_corrupt, vault_custodian_died or
                vault_custodian_timeout.
        """
        require_fields(parameters, "iv", "key_id", "locked", "wrapped")
        key_id = hex_bytes(parameters["key_id"], KEY_ID_BYTES)
        iv = hex_bytes(parameters["iv"], IV_BYTES)
        locked = hex_bytes(parameters["locked"], MASTER_KEY_BYTES)
        with Secret(MASTER_KEY_BYTES, inheritable=True) as wrapping_key:
            self._call(lambda: self._unlock(key_id, iv, locked, wrapping_key.view))
            unwrap_under(
                wrapping_key.view,
                parameters["wrapped"],
                store_id,
                into,
                broken_code="vault_token_key_changed",
            )

    def close(self) -> None:
        """Wipes the PIN."""
        self.pin.close()

    def _call(self, task: Callable[[], Parameters]) -> Parameters:
        trusted_module(self.module)
        return call_apart(task, timeout_seconds=self.timeout_seconds)

    # From here on: in the child.

    def _lock(self, wrapping_key: memoryview, store_id: bytes) -> Parameters:
        from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag

        key_id, iv = os.urandom(KEY_ID_BYTES), os.urandom(IV_BYTES)
        with self._session(writing=True) as session:
            key = session.generate_key(
                KeyType.AES,
                8 * MASTER_KEY_BYTES,
                id=key_id,
                label=_LABEL_PREFIX + store_id.hex()[:8],
                store=True,
                capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
                template={
                    Attribute.PRIVATE: True,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                },
            )
            _require_confined(key)
            locked = key.encrypt(bytes(wrapping_key), mechanism=Mechanism.AES_CBC, mechanism_param=iv)
        return {"iv": iv.hex(), "key_id": key_id.hex(), "locked": locked.hex()}

    def _unlock(self, key_id: bytes, iv: bytes, locked: bytes, into: memoryview) -> Parameters:
        from pkcs11 import Mechanism, MultipleObjectsReturned, NoSuchKey, ObjectClass

        with self._session(writing=False) as session:
            try:
                key = session.get_key(object_class=ObjectClass.SECRET_KEY, id=key_id)
            except NoSuchKey:
                raise CustodyError("vault_token_key_missing") from None
            except MultipleObjectsReturned:
                raise CustodyError("vault_token_key_changed") from None
            _require_confined(key)
            wrapping_key = key.decrypt(locked, mechanism=Mechanism.AES_CBC, mechanism_param=iv)
        if len(wrapping_key) != len(into):
            raise CustodyError("vault_token_key_changed")
        into[:] = wrapping_key
        return {}

    @contextmanager
    def _session(self, *, writing: bool) -> Iterator[Any]:
        import pkcs11

        try:
            module = pkcs11.lib(str(trusted_module(self.module)))
        except pkcs11.PKCS11Error:
            raise CustodyError("vault_token_module_unusable") from None
        with _translated(pkcs11):
            token = module.get_token(token_label=self.label)
            if pkcs11.Mechanism.AES_CBC not in token.slot.get_mechanisms():
                raise CustodyError("vault_token_unsuitable")
            with token.open(rw=writing, user_pin=_Pin(self.pin)) as session:
                yield session


class _Pin:
    """A PIN for python-pkcs11, which calls `encode` on what should be a string: a string cannot be wiped."""

    def __init__(self, pin: Secret) -> None:
        self._pin = pin

    def encode(self, _encoding: str) -> bytearray:
        return bytearray(self._pin.view)


@contextmanager
def _translated(pkcs11: Any) -> Iterator[None]:
    """Turns the module's return codes into ours; its words stay in the child."""
    codes = {
        "vault_token_pin_wrong": (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange),
        "vault_token_pin_locked": (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized),
        "vault_token_missing": (pkcs11.NoSuchToken, pkcs11.TokenNotPresent, pkcs11.DeviceRemoved),
        "vault_token_ambiguous": (pkcs11.MultipleTokensReturned,),
        "vault_token_unsuitable": (pkcs11.MechanismInvalid, pkcs11.FunctionNotSupported),
        "vault_token_full": (pkcs11.DeviceMemory, pkcs11.TokenWriteProtected, pkcs11.TemplateInconsistent),
    }
    try:
        yield
    except pkcs11.PKCS11Error as failure:
        for code, kinds in codes.items():
            if isinstance(failure, kinds):
                raise CustodyError(code) from None
        raise CustodyError("vault_token_failed") from None


def _require_confined(key: Any) -> None:
    from pkcs11 import Attribute

    if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
        raise CustodyError("vault_token_key_exposed")
