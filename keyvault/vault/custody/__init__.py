"""Who keeps the vault's master key: a key file, a passphrase, a PKCS#11 token, or an installed package.

- `contract`: what a custodian is: it wraps 32 bytes, and unwraps them again.
- `errors`: every code, and what a person does about it.
- `key_file`, `passphrase`: two of them, in the vault's own process. `local`: what they share.
- `token`: a PKCS#11 token. `module`: which module files are loaded at all.
- `installed`: a custodian out of another package, such as a cloud KMS (`docs/key_custody.md`).
- `apart`: one call in a process of its own; a stranger's code is never loaded into the vault.
- `choice`: from the command line's words to a custodian.
- `facts`: what protects a store, without opening it; `python -m keyvault.vault.custody --store DIR`.

Reasons and what was rejected: `docs/adr/0006-who-keeps-the-master-key.md`.
"""
