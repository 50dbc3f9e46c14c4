"""What the desk expects of a disclosure worker: `enclave.host` has one, and the tests have a double."""

from __future__ import annotations

from typing import Protocol

from enclave.host import Disclosed, Materials


class Worker(Protocol):
    """One disclosure worker (`enclave.host.RunningDisclosure`). Nothing that it says is believed.

    Every method but the last three waits for an answer; what goes wrong is an `EnclaveError`.
    """

    number: bytes

    def admission(self) -> bytes:
        """The vault's evidence for it, an envelope."""

    def wait_until_ready(self) -> None:
        """Waits until it knows that its evidence is recorded."""

    def count(self) -> bytes:
        """A fresh count statement, an envelope, which must be in the log before `proceed`."""

    def proceed(self, materials: Materials) -> Disclosed:
        """Has it check everything and disclose.

        Raises:
            DisclosureRefusedError: something does not hold; it waits on.
        """

    def hand_out(self, release_proof: bytes) -> bytes:
        """Shows that the release is recorded; the header that goes before what it wrote."""

    def is_there(self) -> bool:
        """Whether it still waits."""

    def stop(self) -> None:
        """Ends it."""

    def close(self) -> None:
        """Gives its channels up."""
