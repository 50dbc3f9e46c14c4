"""Witnesses: people who look at every tree head of a log, and refuse to sign a second history.

Pure logic for all three sides; nothing here touches a disk, a clock or a network.

- `policy`: which witnesses a reader believes, and how many of them it takes (c2sp.org/tlog-policy).
- `quorum`: whether the cosignatures on a checkpoint are enough for a policy. Verifier, vault and front desk
  ask here.
- `submission`: what a log sends to a witness and what comes back (c2sp.org/tlog-witness).
- `known_logs`: the logs that a witness was told of.
- `memory`: what a witness decides about a submission, given the last tree head that it signed.
- `errors`: the refusals, each with its HTTP status.
"""
