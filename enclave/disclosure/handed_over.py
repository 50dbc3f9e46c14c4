"""The six descriptors that are all a disclosure worker has, at fixed numbers."""

from __future__ import annotations

from enclave.wall.descriptors import FIRST_FREE

PACKAGE_FD, DISCLOSURE_FD, SCRATCH_FD, ORDERS_FD, REPORTS_FD, VAULT_FD = range(FIRST_FREE, FIRST_FREE + 6)
