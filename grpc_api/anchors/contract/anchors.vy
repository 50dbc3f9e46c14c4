# pragma version 0.4.3
# pragma evm-version paris
# pragma optimize gas
"""
@title Bauta's anchors: tree heads of transparency logs, which only move forward
@license Apache-2.0
@notice Whoever sends has a line of their own for each log, and nobody can write into another's: readers know
    whose line they believe. There is no owner, no payment, and nothing can be changed or taken away.
"""

struct Anchor:
    size: uint64
    root: bytes32

event Anchored:
    anchorer: indexed(address)
    origin: indexed(bytes32)
    size: uint64
    root: bytes32

# What a checkpoint can say (c2sp.org/tlog-checkpoint).
MAX_SIZE: constant(uint64) = 2 ** 63 - 1

# By who sent, and the SHA-256 of the log's origin. Size 0: there is none.
latest: public(HashMap[address, HashMap[bytes32, Anchor]])


@external
def anchor(origin: bytes32, size: uint64, root: bytes32):
    """
    @notice Anchors a tree head of the sender's line. The same once more is an event once more.
    @param origin SHA-256 of the log's origin
    @param size Leaves in the tree, at least 1
    @param root RFC 6962 root hash
    """
    before: Anchor = self.latest[msg.sender][origin]
    assert size > 0 and size <= MAX_SIZE, "size out of range"
    assert size >= before.size, "smaller than before"
    if size == before.size:
        assert root == before.root, "another root at this size"
    else:
        self.latest[msg.sender][origin] = Anchor(size=size, root=root)
    log Anchored(anchorer=msg.sender, origin=origin, size=size, root=root)
