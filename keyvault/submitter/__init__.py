"""Proof of the submitter, without the submitter.

The same person, or not, as the person chooses:

- `errors`: codes. `group`: the arithmetic, libsodium's.
- `pseudonyms`: a source's secret, and its public key in each scope.
- `submission_key`: the key that a source gives to one submission; terms and statement carry it.
- `statements`: what is proven on which occasion, as bytes. `proofs`: Schnorr's proof of it.

One of ours, without a name:

- `issuer_keys`, `blind_rsa`: RFC 9474. `tokens`: what is signed blind, and redeemed once.

Once only:

- `spent`: the durable record of used tokens and answered occasions.

On a person's disk: `key_files`, secrets under a passphrase; `papers`, what is handed to one another. Who
calls all this: `console/commands/source.py` and `token.py`, and the front desk's `grpc_api/admission.py`.

Formats and limits: docs/submitter.md. Why so: docs/adr/0026-one-person-many-keys.md.
"""
