"""Statements, the log and the proofs: what was done, that it was recorded, and how anyone checks it.

This package verifies. It holds no private key: whoever signs hands in a callable (`dsse.Signer`,
`TransparencyLog(sign_checkpoint=...)`). From the ground up:

- `errors`, `canonical`, `encoding`: the errors; the one JSON and the one base64 that get signed.
- `algorithms`: the one list of signatures and KEMs by name, and whoever computes them.
- `keys`, `dsse`: the hybrid public key (Ed25519, ML-DSA-65, perhaps SLH-DSA) and the DSSE envelope.
- `statements`: what an envelope may say. Every field is a pattern, an enumeration or a count.
- `note`, `checkpoint`: C2SP signed notes and the log's signed tree heads.
- `merkle`, `entry`, `tlog_proof`: RFC 6962 trees, what a leaf holds, the C2SP proof text.
- `log_index`, `tiles.files`: the contracts for whoever stores the log; `log_storage` (with `log_tables`) and
  `tiles` keep them on this machine's disk, and nothing else of this package touches one.
- `log`, `log_check`: the append-only log over any such storage, and its fsck.
- `proof`, `trust`, `verifier`: the proof file, the trust file, and the offline check of one by the other
  in named steps (`checklist`), the first of which are those of every proof (`recorded`).
- `certified`: a job's statement and the evidence for its worker, with every signature that is demanded.
- `pieces`, `committed`: an original in salted pieces, and who says that it had them.
- `timestamps`, over `tokens`, `cms` and `der`: the word of other people's clocks (RFC 3161) in a proof.
- `register`: whether the worker that an intake names is of a released version.

Formats are described in docs/formats.md. Nothing here opens a network connection.
"""
