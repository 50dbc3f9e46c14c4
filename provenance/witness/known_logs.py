"""The logs that a witness was told of: lines of verifier keys, or a service's own trust file."""

from __future__ import annotations

from provenance.errors import FormatError
from provenance.note import VerifierKey, parse_vkey
from provenance.trust import Trust
from provenance.witness.policy import MAX_LOGS, MAX_POLICY_BYTES

KnownLogs = dict[str, tuple[VerifierKey, ...]]
"""Origin -> the keys that must all have signed a checkpoint of that log."""


def parse_known_logs(untrusted: bytes) -> KnownLogs:
    """Reads a trust file, or lines as `log VKEY [URL]` (c2sp.org/tlog-policy) or `VKEY` alone.

    Keys of one name are keys of one log, and all of them must sign. Empty lines and lines that begin with
    `#` are let pass; lines `witness`, `group` and `quorum` too, so that a policy can be handed in as it is.

    Raises:
        FormatError: `log_list_invalid`, naming the line; or the trust file's own.
    """
    if untrusted.lstrip().startswith(b"{"):
        trust = Trust.from_bytes(untrusted)
        return {trust.log_origin: trust.log_keys}
    if len(untrusted) > MAX_POLICY_BYTES:
        raise FormatError("the list of logs is too large", "log_list_invalid")
    logs: KnownLogs = {}
    for number, line in enumerate(untrusted.split(b"\n"), 1):
        words = line.split()
        if not words or words[0].startswith(b"#") or words[0] in {b"witness", b"group", b"quorum"}:
            continue
        try:
            key = _key([word.decode("utf-8") for word in words])
        except (FormatError, UnicodeDecodeError):
            raise FormatError(
                f"line {number} of the list of logs holds no verifier key", "log_list_invalid"
            ) from None
        logs[key.name] = tuple(dict.fromkeys((*logs.get(key.name, ()), key)))
    if not 1 <= len(logs) <= MAX_LOGS:
        raise FormatError("the list names no log, or too many", "log_list_invalid")
    return logs


def _key(words: list[str]) -> VerifierKey:
    match words:
        case ["log", vkey] | ["log", vkey, _] | [vkey]:
            return parse_vkey(vkey)
        case _:
            raise FormatError("neither a log nor a key")
