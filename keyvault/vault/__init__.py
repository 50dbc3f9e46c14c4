"""The vault: one process that holds every private key of a service. `python -m keyvault.vault`.

Nothing outside this folder imports it, but a custodian's own process (`keyvault.custody.identity`), which
protects its keys by the same code; the front desk speaks to it through `keyvault.client`, a worker
through `protos/bauta/internal/v1/release.proto` and `keyvault.release`.

What it keeps, lowest first:

- `errors`, `config`: codes, and every limit with its unit.
- `pages`, `memory`: secrets that can be overwritten, in pages that are not swapped, dumped or read by others.
- `durable`: files that are old or new after a crash, never half; overwriting what is replaced.
- `custody/`: who keeps the master key: key file, passphrase, PKCS#11 token, or an installed package.
- `sealing`: one sealed entry. `keystore`: the folder of them.
- `identity`: the node's and the log's signing keys.
- `derived`: the master that keys for personas and for records of reviews are derived from.
- `claim_key`: the key of content credentials and its certificates, its own or an authority's.
- `perishables`: secrets with an end, destroyed in memory and on the disk.
- `intake`: intake keys: made on demand, rotated, destroyed.
- `acceptances`: file keys of uploads that were accepted in time, each for its job alone.
- `ratchet`: the last signed checkpoint, so that the log never shrinks, forks or forgets.
- `rings`: the wrapped keys of recovery packages, one entry a job, until somebody erases them.
- `anchoring`: the key that sends tree heads to a public chain, and which transactions it signs.
- `register`: whose releases of worker versions count, and which versions are released.

What it does with them:

- `releases`: one file key to one worker's one-job key, in two steps.
- `derived`: the keys of one job that are the same each time, after its release; stored nowhere.
- `claims`: one signature under one job's content credentials, after its release.
- `follow_ups`: these two and a ring, in their order.
- `confirmations`: between the two: releases that wait for their record in the log.
- `frontdesk`: the requests of the front desk.
- `announcements`: which worker host there is, and the signed intake statement about it.

Around both:

- `frames`: reading from sockets with caps and deadlines.
- `answering`: an answer, or the code of a refusal.
- `workers`: the worker host's channel and one thread a job.
- `hardening`: the process's own first wall.
- `process`: puts it together; `__main__` is the command line.

What it cannot do: Python copies. The master key, the derivation master, what is derived from either, key
file, passphrase and PIN are only ever in `memory.Secret`, which root does not read either where the kernel
has memfd_secret (`tests/security/test_vault_memory_readers.py`). What is left in ordinary memory, undumpable,
closed to the same user, and locked where the system allows:

- OpenSSL's key objects hold their seeds while they live: for one signature (`seeds`), or for one look at an
  upload's header. They are cleared when they are freed.
- A claim key and a chain's key are `bytes` while they are made, and OpenSSL's for one signature: freed, not
  overwritten.
- An SLH-DSA private key and the 32-byte seed of an intake identity are `bytes`: freed, not overwritten.
- A file key is 16 immutable bytes on its way from the age header to a worker, and so are the 96 bytes that
  an intake seed expands to: freed, not overwritten.
- The intermediate values of HKDF, HPKE and Argon2id are the cryptography library's.
- A PIN, and what a token's module or a custodian copies, are in a child process and end with it.

A copy of the whole store put back in place of a newer one is not noticed: that takes a counter in hardware.
"""
