"""Every way a custodian fails: the code, and the one sentence that an operator needs.

Messages are fixed texts. What a token's module or an installed custodian says about itself never gets out:
it can hold names, PINs and anything else.
"""

from __future__ import annotations

from typing import Final

from keyvault.vault.errors import VaultStartError

MESSAGES: Final = {
    "vault_unlock_failed": "the passphrase or key file is not this store's, or its header was changed",
    "vault_store_corrupt": "the store's header is damaged; restore it from a backup",
    "vault_key_file_exposed": "the master key must be a plain file of the vault's own user with mode 0600; "
    "if anybody else could read it, treat every key in the store as known",
    "vault_token_module_unsafe": "the PKCS#11 module must be an absolute path to a plain file that belongs, "
    "like every folder above it, to root or to the vault's user, and that nobody else can write to",
    "vault_token_module_unusable": "the file is no PKCS#11 module, or does not start; try pkcs11-tool on it",
    "vault_token_missing": "no token of this label is there; plug it in, or check --pkcs11-token",
    "vault_token_ambiguous": "two tokens have this label; unplug one or rename it",
    "vault_token_unsuitable": "the token must be initialised, have a user PIN, and know AES-256 in CBC mode",
    "vault_token_pin_wrong": "the token refuses the PIN; after a few more of them it locks itself",
    "vault_token_pin_locked": "the token's PIN is locked, expired or not set; unlock it with its own tools",
    "vault_token_key_missing": "the key that unlocks this store is no longer on the token; restore the "
    "token's backup, the store does not open without it",
    "vault_token_key_changed": "the key on the token is not the one that locked this store, or the store's "
    "header was changed; restore the token or the store from a backup",
    "vault_token_key_exposed": "the key on the token can leave it; treat every key in the store as known",
    "vault_token_full": "the token cannot make a key: it is full, read-only, or forbids it",
    "vault_token_failed": "the token failed; look at its own log",
    "vault_custodian_unknown": "no installed package offers a custodian of this name, or two do",
    "vault_custodian_unreachable": "the custodian's service does not answer",
    "vault_custodian_denied": "the custodian's service refuses this machine; check its credentials",
    "vault_custodian_key_missing": "the custodian's service has no longer the key that unlocks this store",
    "vault_custodian_key_changed": "the custodian's service does not open this store's wrapped key",
    "vault_custodian_failed": "the custodian failed, or broke its contract",
    "vault_custodian_died": "the custodian's process died; its library crashed or was killed",
    "vault_custodian_timeout": "the custodian did not answer in time",
}


class CustodyError(VaultStartError):
    """The master key cannot be had. Codes: the keys of `MESSAGES`.

    Args:
        code: one of them; any other becomes vault_custodian_failed.
        message: a more exact text of our own; never one that a custodian wrote.
    """

    def __init__(self, code: str, message: str | None = None) -> None:
        if code not in MESSAGES:
            code = "vault_custodian_failed"
        super().__init__(code, message or MESSAGES[code])
