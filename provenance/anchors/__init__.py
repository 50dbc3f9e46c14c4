"""Anchors: a log's tree head in an event of a public chain (EVM), proven by one block header, offline.

- `rlp`, `keccak`: the chain's one encoding, read strictly, and its one hash.
- `trie`, `trie_building`: Merkle-Patricia proofs checked, and made (by whoever gathers one).
- `header`, `receipt`: what is needed of a block's header and of a transaction's receipt.
- `event`: whose line on which contract a reader believes, and what the contract says and is told.
- `transaction`: the one kind of transaction that anchors, for whoever signs it.
- `anchor_proof`: the file that holds a proof, and the check of it.
- `address`, `place`: a chain's addresses as people write them, and the lines that a trust file names.
- `covered`: an anchor together with the proof that it covers the smaller tree of a result's proof.
- `checking`: the three steps by which `bauta verify` checks one.

The contract lies in `grpc_api/anchors`, with everything that speaks to a chain. Formats, and what is proven
by them: docs/anchors.md. Nothing here opens a network connection or knows web3.
"""
