"""Proof of the submitter, without the submitter. Wired into nothing yet.

The same person, or not, as the person chooses:

- `errors`: codes. `group`: the arithmetic, libsodium's.
- `pseudonyms`: a source's secret, and its public key in each scope.
- `statements`: what is proven on which occasion, as bytes. `proofs`: Schnorr's proof of it.

One of ours, without a name:

- `issuer_keys`, `blind_rsa`: RFC 9474. `tokens`: what is signed blind, and redeemed once.

Once only:

- `spent`: the durable record of used tokens and answered occasions.

Formats and limits: docs/submitter.md. Why so: docs/adr/0026-one-person-many-keys.md.
"""
