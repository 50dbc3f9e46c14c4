"""Anchors on a chain: sending tree heads, and gathering the proofs that `provenance.anchors` checks.

- `config`: the operator's table, without web3.
- `service`: the thread that anchors while a service runs, and hands out what was anchored.
- `keeping`: gathered proofs as static files.
- `contract`: the contract's source, what the compiler made of it, and who reads that.
- `batching`: when to anchor what, a state machine without a clock or a network.
- `web`: web3, tamed.
- `transport`: JSON-RPC over HTTP with limits, as a provider for web3.
- `chain`: one line of anchors on one chain: send, look whether it is there, gather the proof.
- `gathering`: a proof from what a node says of one block, none of which is believed.
- `sender`: drives the three; whatever the chain does, nothing else waits for it.
- `deploying`, `asking`: for `bauta anchors` and `bauta verify --rpc`: the contract put there, a node asked.

docs/anchors.md describes it.
"""
