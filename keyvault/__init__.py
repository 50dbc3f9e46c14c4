"""Keys: who may open what.

- `keyvault.errors`: the one base error of this package.
- `keyvault.age`: the age v1 file format, streaming in constant memory: seal, open, identities, armor.
- `keyvault.upload`: what an age file must be sealed with, to be taken as an upload.
- `keyvault.release`: a file key on its way to one worker. `keyvault.derived`: derived keys on theirs.
- `keyvault.signing`: private signing keys.
- `keyvault.key_file`: a person's own private key as a file. `keyvault.release_key`: that of whoever releases
  worker versions. `keyvault.witness_key`: that of a witness. `keyvault.recorder_key`: that of a device.
  None is part of a running service.
- `keyvault.custody`: a recovery key divided among custodians, their policies and decisions, their own keys.
  `keyvault.recovery`: the package that the key opens. No service uses these two yet.
- `keyvault.submitter`: a source's keys and proofs, tokens of admission, the record of their use.
- `keyvault.vault`: the vault's own process, which holds the private intake keys and releases 16-byte
  file keys. Nothing outside it imports it, but `keyvault.custody.identity`, for how it protects keys.

Nothing here sees content, except `keyvault.age` in the hands of whoever holds the file key.
"""
