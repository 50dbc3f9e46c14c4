"""The vault: one process that holds every private key of a service. `python -m keyvault.vault`.

Nothing outside this folder imports it; the front desk speaks to it through `keyvault.client`, a worker
through `protos/bauta/internal/v1/release.proto` and `keyvault.release`.

What it keeps, lowest first:

- `errors`, `config`: codes, and every limit with its unit.
- `memory`: secrets that can be overwritten.
- `durable`: files that are old or new after a crash, never half; overwriting what is replaced.
- `master`: the master key, out of a key file or a passphrase.
- `sealing`: one sealed entry. `keystore`: the folder of them.
- `identity`: the node's and the log's signing keys.
- `intake`: intake keys: made on demand, rotated, destroyed.
- `ratchet`: the last signed checkpoint, so that the log never shrinks or forks at one size.

What it does with them:

- `releases`: one file key to one worker's one-job key.
- `frontdesk`: the four requests of the front desk.
- `announcements`: which worker host there is, and the signed intake statement about it.

Around both:

- `frames`: reading from sockets with caps and deadlines.
- `workers`: the worker host's channel and one thread a job.
- `hardening`: the process's own first wall.
- `process`: puts it together; `__main__` is the command line.

What it cannot do: Python copies. Seeds, the master key and the passphrase live in bytearrays that are
overwritten after use, and OpenSSL clears its own key objects; but the 16-byte file key, the text form of
an intake identity and whatever the interpreter copied on the way are immutable objects that are only
freed. The process is undumpable and, where the system allows, locked in memory for that reason.
A copy of the whole store put back in place of a newer one is not noticed: that takes a counter in hardware.
"""
