"""What this room uses of web3, imported without what that does to the whole interpreter.

Where py-ecc or py-evm are installed, importing web3 lifts Python's limit on recursion from 1,000 to 100,000.
A parser of strangers' bytes that relies on the limit would then end its process instead of raising an error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def recursion_limit_kept() -> Iterator[None]:
    """Gives Python's limit on recursion back as it was."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


with recursion_limit_kept():
    from web3 import Web3
    from web3.exceptions import BlockNotFound, TransactionNotFound, Web3Exception
    from web3.providers import JSONBaseProvider
    from web3.types import BlockData, RPCEndpoint, RPCResponse, TxParams, TxReceipt, Wei

__all__ = [
    "BlockData",
    "BlockNotFound",
    "JSONBaseProvider",
    "RPCEndpoint",
    "RPCResponse",
    "TransactionNotFound",
    "TxParams",
    "TxReceipt",
    "Web3",
    "Web3Exception",
    "Wei",
    "recursion_limit_kept",
]
