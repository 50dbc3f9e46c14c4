"""Custody of a recovery key: many hold it, some of them together open it, and never in secret.

Dividing, lowest first:

- `errors`: codes, and who is to blame.
- `group`: arithmetic over Ed25519's prime-order group, by libsodium (PyNaCl).
- `rule`: whose agreement suffices, a tree of thresholds.
- `sharing`: dividing a secret by a rule, checking a share, rebuilding. `resharing`: to other holders.
- `seals`: shares on their way, each for one holder in one context.

Deciding:

- `fields`, `policy`: the custody policy, TOML: rule, requesters, purposes, scope, times.
- `requests`: a request, checked by its policy. `decisions`: a custodian's approval or denial of it.
- `handover`: a re-sharing on record, under a new policy. `succession`: who decides after all of them.
- `holding`: what a new custodian holds, and how it becomes a share.
- `witnessed`: statements out of the witnessed log. `history`: the log from a job to its end.
- `tally`: the disclosure worker's count, and the rebuilding.

Reading:

- `access`: a question, signed by keys that a policy names.
- `record`: the file that an audit reads. `auditing`: is it whole? `stories`: who saw what, and what is amiss;
  `changed_hands`: who decided when.

A custodian's own keys:

- `card`: the public part. `identity_file`: the file. `identity`: the private part, protected as the vault's.
- `acting`: what the private part is asked to do, task by task.
- `__main__`: the process that holds it, for `bauta custodian` and `bauta disclose`.

Pure functions but for the last; no wire, no store. The plan for all of it is
`docs/adr/0024-a-door-that-takes-many.md`.
"""
