"""The front desk asks the witnesses of its policy, all at once, before a checkpoint is published.

What they answer is checked here line by line, since readers would refuse a note with a false one. A witness
that is down, slow or lying costs nothing while the others make the quorum; without one nothing is published.
"""

from __future__ import annotations

import http.client
import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from grpc_api.errors import ServiceError, invalid
from provenance.checkpoint import CheckpointText
from provenance.errors import ProvenanceError, SignatureError
from provenance.log import Cosigner, unwitnessed
from provenance.note import SignatureLine, VerifierKey, parse_note
from provenance.witness.policy import WitnessPolicy
from provenance.witness.quorum import verified_cosignatures
from provenance.witness.submission import (
    ADD_CHECKPOINT,
    MAX_ANSWER_BYTES,
    Submission,
    parse_cosignatures,
    parse_known_size,
)

log = logging.getLogger("bauta.grpc_api")

# Of one round: how long it lasts at most, and how long it waits for the rest once the quorum is there.
ROUND_SECONDS = 5.0
LAST_CALL_SECONDS = 0.2
# A witness that knows another size than we think says so, and is asked again with the proof that it needs.
_TRIES = 3

ProveFrom = Callable[[int], list[bytes]]


class WitnessRefusedError(ProvenanceError):
    """A witness gave no cosignature, or a false one."""

    code = "witness_refused"


@dataclass(frozen=True)
class _Round:
    """One checkpoint that is to be witnessed."""

    note: bytes
    text: CheckpointText
    prove_from: ProveFrom
    deadline: float


class WitnessedCheckpoints:
    """Gathers cosignatures under a policy; a `provenance.log.Cosigner`. One call at a time.

    Args:
        policy: with an address for each witness that is to be asked.
        round_seconds: how long the witnesses have, all together.

    Raises:
        ServiceError: `config_invalid`, an address is none, or too few witnesses have one.
    """

    def __init__(self, policy: WitnessPolicy, round_seconds: float = ROUND_SECONDS) -> None:
        self._policy = policy
        self._round_seconds = round_seconds
        keys: dict[str, list[VerifierKey]] = {}
        for witness in policy.witnesses:
            if witness.url:
                keys.setdefault(witness.url, []).append(witness.key)
        reachable = {key for group in keys.values() for key in group}
        if not policy.is_met_by(reachable):
            raise _config_invalid("too few witnesses of the policy have an address to make its quorum")
        self._witnesses = tuple(_Witness(_address(url), tuple(found)) for url, found in keys.items())

    def __call__(self, note: bytes, prove_from: ProveFrom) -> bytes:
        """Gives the note with the witnesses' lines under the log's own.

        Raises:
            SignatureError: `quorum_not_met`.
        """
        text = CheckpointText.parse(parse_note(note).text.encode())
        kept = list(parse_note(note).lines)
        signers = set(verified_cosignatures(kept, text, self._policy.keys))
        if self._policy.is_met_by(signers):
            return note
        now = time.monotonic()
        asked = _Round(note, text, prove_from, now + self._round_seconds)
        answers: queue.SimpleQueue[tuple[SignatureLine, ...]] = queue.SimpleQueue()
        pending = sum(witness.ask(asked, answers.put) for witness in self._witnesses)
        deadline = asked.deadline
        while pending:
            try:
                lines = answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            pending -= 1
            kept += lines
            signers |= verified_cosignatures(lines, text, self._policy.keys).keys()
            if self._policy.is_met_by(signers):
                deadline = min(deadline, time.monotonic() + LAST_CALL_SECONDS)
        if not self._policy.is_met_by(signers):
            raise SignatureError("too few witnesses cosigned the checkpoint", "quorum_not_met")
        return note + b"".join(line.to_text().encode() for line in kept[len(parse_note(note).lines) :])


def cosigner(policy: WitnessPolicy | None) -> Cosigner:
    """Who is asked before a checkpoint is published; nobody without a policy.

    Raises:
        ServiceError: `config_invalid`.
    """
    return unwitnessed if policy is None else WitnessedCheckpoints(policy)


class _Witness:
    """One submission prefix and the keys that answer there; busy with one submission at a time."""

    def __init__(self, address: SplitResult, keys: tuple[VerifierKey, ...]) -> None:
        self._address = address
        self._keys = keys
        self._busy = threading.Lock()
        self._known_size = 0

    def ask(self, asked: _Round, answer: Callable[[tuple[SignatureLine, ...]], object]) -> bool:
        """Asks in a thread of its own; False if the witness still has not answered an earlier submission."""
        if not self._busy.acquire(blocking=False):
            return False
        thread = threading.Thread(target=self._ask, args=(asked, answer), name="witness", daemon=True)
        thread.start()
        return True

    def _ask(self, asked: _Round, answer: Callable[[tuple[SignatureLine, ...]], object]) -> None:
        lines: tuple[SignatureLine, ...] = ()
        try:
            lines = self._cosignatures(asked)
        except (ProvenanceError, OSError, http.client.HTTPException, ValueError) as error:
            # Which one, the operator sees by its key; its answer may be a stranger's text and is not shown.
            log.warning("witness %s: %s", self._keys[0].name, getattr(error, "code", type(error).__name__))
        finally:
            self._busy.release()
            answer(lines)

    def _cosignatures(self, asked: _Round) -> tuple[SignatureLine, ...]:
        for _ in range(_TRIES):
            old_size = min(self._known_size, asked.text.size)
            body = Submission(old_size, tuple(asked.prove_from(old_size)), asked.note).to_bytes()
            status, untrusted_answer = post(self._address, body, asked.deadline)
            if status == http.HTTPStatus.OK:
                lines = self._own_lines(untrusted_answer, asked.text)
                self._known_size = asked.text.size
                return lines
            if status != http.HTTPStatus.CONFLICT:
                raise WitnessRefusedError("a witness refused the checkpoint", f"witness_answered_{status}")
            self._known_size = parse_known_size(untrusted_answer)
            if self._known_size > asked.text.size:
                raise WitnessRefusedError("a witness knows a larger tree of this log", "witness_knows_more")
        raise WitnessRefusedError("a witness keeps changing its mind", "witness_conflicts")

    def _own_lines(self, untrusted_answer: bytes, text: CheckpointText) -> tuple[SignatureLine, ...]:
        """The lines by this witness's keys; one false line, and none of them counts."""
        lines = parse_cosignatures(untrusted_answer)
        if not verified_cosignatures(lines, text, self._keys):
            raise WitnessRefusedError("a witness answered without a line of its own", "witness_silent")
        own = {key: line for line in lines for key in self._keys if line.is_by(key)}
        return tuple(own.values())


def post(address: SplitResult, body: bytes, deadline: float) -> tuple[int, bytes]:
    """Sends one submission. Follows no redirect, and takes no more than an answer may have.

    Args:
        address: a submission prefix.
        body: of the request.
        deadline: on the monotonic clock.

    Returns:
        Status and body.

    Raises:
        OSError, http.client.HTTPException: no answer in time, or none that is HTTP.
        WitnessRefusedError: `answer_too_large`.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no time is left")
    connection = _connection(address, left)
    # The timeout is for one packet; a peer that trickles must end as well.
    clock = threading.Timer(left, _hang_up, (connection,))
    clock.daemon = True
    clock.start()
    try:
        path = f"{address.path.rstrip('/')}/{ADD_CHECKPOINT}"
        connection.request("POST", path, body, {"Content-Type": "text/plain; charset=utf-8"})
        answer = connection.getresponse()
        untrusted_body = answer.read(MAX_ANSWER_BYTES + 1)
    finally:
        clock.cancel()
        connection.close()
    if len(untrusted_body) > MAX_ANSWER_BYTES:
        raise WitnessRefusedError("a witness's answer is too large", "answer_too_large")
    return answer.status, untrusted_body


def _connection(address: SplitResult, timeout: float) -> http.client.HTTPConnection:
    host = address.hostname or ""
    if address.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, address.port, timeout=timeout, context=context)
    return http.client.HTTPConnection(host, address.port, timeout=timeout)


def _hang_up(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        usable = usable and url.isascii() and not parts.query and not parts.fragment and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise _config_invalid("the witness policy holds an address that is neither http nor https")
    return parts


def _config_invalid(what: str) -> ServiceError:
    return invalid("config_invalid", f"The configuration is not valid: {what}.")
