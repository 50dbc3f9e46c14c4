"""Private signing keys. Public keys and everything that verifies live in `provenance`.

- `keyvault.signing.hybrid`: Ed25519 and ML-DSA-65 side by side, for statements: the vault's node key and a
  worker's one-job keys.
- `keyvault.signing.slhdsa`: the third key, SLH-DSA-SHA2-128s, for statements that must last decades.
- `keyvault.signing.log`: the log's two keys, Ed25519 signed note and ML-DSA-44 cosignature, for checkpoints.
- `keyvault.signing.witness`: a witness's two keys, for cosignatures on other people's checkpoints.
- `keyvault.signing.secp256k1`: the key that sends anchors to a chain; it signs transactions, no statement.

`cryptography` keeps an expanded private key in OpenSSL's memory, which clears it when the key object is
freed. A 32-byte seed handed in here stays the caller's, to be wiped by the caller. An SLH-DSA key is Python
`bytes`, because its library takes nothing else: nobody can wipe it before it is freed.
"""
