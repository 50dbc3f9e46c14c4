"""A custodian's keys at work: in a process of their own, which this one asks, and which it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from console.custody import Custody
from grpc_api.errors import invalid, unavailable
from keyvault.custody.access import Access
from keyvault.custody.card import CustodianCard
from keyvault.custody.decisions import Approval
from keyvault.custody.holding import Holding
from provenance import canonical
from provenance.dsse import Envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.keys import HybridPublicKey

_MAX_ANSWER_BYTES: Final = 64 << 20


@dataclass(frozen=True)
class Redealt:
    """One dealer's part in a re-sharing.

    Attributes:
        envelope: the signed statement.
        redealt: the public part.
        parts: sealed to the new custodians, in the order of their rule.
    """

    envelope: Envelope
    redealt: bytes
    parts: bytes


class CustodianProcess:
    """Opens a custodian's private part, once, and has it do what is asked for. A context manager.

    Args:
        file: the custodian's.
        protection: how it opens; see `console.commands.custodian.protection_of`.

    Raises:
        ServiceError: with the code of that process; custodian_process_failed.
    """

    def __init__(self, file: Path, protection: Custody) -> None:
        options = protection.vault_options()
        descriptors = [option for option in options if isinstance(option, int)]
        words = [sys.executable, "-I", "-m", "keyvault.custody", "act", str(file.absolute())]
        try:
            self._process = subprocess.Popen(
                [*words, *map(str, options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=descriptors,
            )
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        try:
            self.card = CustodianCard.from_object(self._answer("card")["card"])
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> CustodianProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process; what it knew is gone with it."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()

    def access(self, service: str, call: str, about: str = "") -> Access:
        """Signs a question (`keyvault.custody.access`).

        Raises:
            ServiceError: as for all of these: with the code of that process.
        """
        answer = self._ask("access", {"service": service, "call": call, "about": about}, "access")
        return Access.from_bytes(answer["access"])

    def sign(self, payload: bytes) -> Envelope:
        """Signs a request, a cancellation, a consent or its withdrawal, made in the name of these keys.

        Raises:
            ServiceError: statement_not_own: it is another statement, or in another name.
        """
        return Envelope.from_bytes(self._ask("sign", {"payload": payload}, "envelope")["envelope"])

    def approve(
        self,
        policy: str,
        sharing: bytes,
        request: Envelope,
        requester: HybridPublicKey,
        sealed_share: bytes | Holding,
        worker_key: bytes,
    ) -> Approval:
        """Approves a request for one worker, whose evidence the caller has checked.

        Raises:
            ServiceError: with a code of `keyvault.custody.decisions.approve`.
        """
        given = {
            **_asked(policy, request, requester),
            "sharing": sharing,
            **_held(sealed_share),
            "worker_key": worker_key,
        }
        answer = self._ask("approve", given, "envelope", "share")
        return Approval(Envelope.from_bytes(answer["envelope"]), answer["share"])

    def redeal(
        self, policy: str, sharing: bytes, job_id: str, sealed_share: bytes | Holding, new_policy: str
    ) -> Redealt:
        """Divides this custodian's own share by another policy's rule.

        Raises:
            ServiceError: with a code of `keyvault.custody.decisions.opened_share` or `handover.sign_dealing`.
        """
        given = {
            "policy": policy,
            "sharing": sharing,
            "job": bytes.fromhex(job_id),
            "new_policy": new_policy,
            **_held(sealed_share),
        }
        answer = self._ask("redeal", given, "envelope", "redealt", "parts")
        return Redealt(Envelope.from_bytes(answer["envelope"]), answer["redealt"], answer["parts"])

    def deny(self, policy: str, request: Envelope, requester: HybridPublicKey, reason: str) -> Envelope:
        """Denies a request.

        Raises:
            ServiceError: with a code of `keyvault.custody.decisions.deny`.
        """
        given = {**_asked(policy, request, requester), "reason": reason}
        return Envelope.from_bytes(self._ask("deny", given, "envelope")["envelope"])

    def open(self, sealed: bytes) -> bytes:
        """Opens what is sealed to these keys: a sheet, a notice, a disclosure.

        Raises:
            ServiceError: sealed_for_others.
        """
        return self._ask("open", {"sealed": sealed}, "opened")["opened"]

    def _ask(self, do: str, given: dict[str, str | bytes], *names: str) -> dict[str, bytes]:
        task = {name: base64_text(part) if isinstance(part, bytes) else part for name, part in given.items()}
        try:
            if self._process.stdin is not None:
                self._process.stdin.write(canonical.dumps({**task, "do": do}) + b"\n")
                self._process.stdin.flush()
        except (OSError, ValueError):
            raise _failed() from None
        answer = self._answer(*names)
        return {name: base64_bytes(answer[name]) for name in names}

    def _answer(self, *names: str) -> dict[str, Any]:
        line = self._process.stdout.readline(_MAX_ANSWER_BYTES) if self._process.stdout is not None else b""
        try:
            said = json.loads(line)
        except ValueError:
            raise _failed() from None
        if isinstance(said, dict) and "code" in said:
            raise invalid(str(said["code"]), str(said.get("message")))
        if not isinstance(said, dict) or said.keys() != set(names):
            raise _failed()
        return said


def _held(sealed: bytes | Holding) -> dict[str, str | bytes]:
    return {"holding": sealed.to_bytes()} if isinstance(sealed, Holding) else {"share": sealed}


def _asked(policy: str, request: Envelope, requester: HybridPublicKey) -> dict[str, str | bytes]:
    return {
        "policy": policy,
        "request": request.to_bytes(),
        "requester": requester.ed25519 + requester.mldsa65,
    }


def _failed() -> Exception:
    return unavailable("custodian_process_failed", "The process of the private keys did not answer.")
