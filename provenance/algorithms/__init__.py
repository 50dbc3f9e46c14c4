"""The one list of algorithms: their names in sealed and signed objects, their lengths, and who computes them.

- `registry`: the names. Data only, signatures and KEMs; docs/algorithms.md says where each name stands.
- `verifying`: checks one signature by its algorithm's name, with the first provider that is there.
- `providers`: the three libraries behind it: `cryptography`, `pqcrypto`, and liboqs.
- `liboqs`: finds liboqs' C library before its Python package is imported, which is not safe without it.

Nothing is negotiated: a format has its suite, and a name that is not in the list is refused
(docs/adr/0005-agility-by-names-and-providers.md). Private keys are in `keyvault.signing`.
"""
