"""Specimens under a trust file that demands witnesses: enough of them, too few, and false ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from provenance.note import SignatureLine
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from tests.corpus.specimen import Specimen, Workshop, bad, good, log_part
from tests.unit.provenance.provenance_makers import SIGNED_AT, TestLogKeys
from tests.unit.provenance.witness_makers import WITNESSES, TestWitness, policy_text, with_lines

SEEN = "checkpoint_witnessed"
ONE, TWO, THREE = WITNESSES
Lines = Callable[[bytes], tuple[SignatureLine, ...]]


def _specimen(shop: Workshop, policy: str, lines: Lines) -> Specimen:
    """The honest proof with further lines under its checkpoint, for a reader with this policy."""
    note = TlogProof.parse(ProofFile.from_bytes(shop.honest.proof).log).checkpoint
    trust = replace(shop.house.trust, witness_policy=policy)
    return replace(log_part(shop.honest, checkpoint=with_lines(note, *lines(note))), trust=trust.to_bytes())


def _good(name: str, policy: str, lines: Lines) -> None:
    good(f"witnesses: {name}")(lambda shop: _specimen(shop, policy, lines))


def _bad(name: str, code: str, policy: str, lines: Lines) -> None:
    bad(f"witnesses: {name}", SEEN, code)(lambda shop: _specimen(shop, policy, lines))


def _grafted(note: bytes) -> tuple[SignatureLine, ...]:
    """A second witness's signature under the name and key id of the first."""
    key, line = ONE.keys[0], TWO.lines(note)[0]
    return (SignatureLine(key.name, key.key_id, line.blob), *TWO.lines(note), *THREE.lines(note))


def _at_another_time(note: bytes) -> tuple[SignatureLine, ...]:
    line = ONE.lines(note)[0]
    later = (SIGNED_AT + 1).to_bytes(8, "big") + line.blob[8:]
    return (replace(line, blob=later), *TWO.lines(note), *THREE.lines(note))


def _over_another_tree(note: bytes) -> tuple[SignatureLine, ...]:
    other = note.split(b"\n")
    other[1] = str(int(other[1]) + 1).encode()
    return (ONE.lines(b"\n".join(other))[0], *TWO.lines(note), *THREE.lines(note))


def _ed25519(note: bytes) -> tuple[SignatureLine, ...]:
    return tuple(witness.lines(note)[0] for witness in WITNESSES)


def _stranger(note: bytes) -> tuple[SignatureLine, ...]:
    return TestWitness("stranger.test").lines(note)


TWO_OF_THREE = policy_text("2")

_good("two of three", TWO_OF_THREE, lambda note: (*ONE.lines(note), *THREE.lines(note)))
_good(
    "two of three, with ML-DSA-44",
    policy_text("2", algorithm=1),
    lambda note: TWO.lines(note) + ONE.lines(note),
)
_good("more than the policy demands", policy_text("any"), lambda note: TWO.lines(note) + ONE.lines(note))
_good(
    "a false line by a witness that the reader does not know",
    policy_text("all", WITNESSES[:2]),
    lambda note: (*ONE.lines(note), *TWO.lines(note), replace(THREE.lines(note)[0], blob=bytes(72))),
)
_good("a policy that takes nobody", "quorum none\n", lambda note: ())
_good("a line of a stranger's log, and nobody demanded", "", _stranger)
_bad("nobody", "quorum_not_met", TWO_OF_THREE, lambda note: ())
_bad("one of three where two are due", "quorum_not_met", TWO_OF_THREE, TWO.lines)
_bad("one of three twice", "quorum_not_met", TWO_OF_THREE, lambda note: TWO.lines(note) + TWO.lines(note, 1))
_bad("strangers only", "quorum_not_met", TWO_OF_THREE, lambda note: TestWitness("other.test/w").lines(note))
_bad("by keys of another kind", "quorum_not_met", policy_text("2", algorithm=1), _ed25519)
_bad("one signs under another's key id", "witness_signature_false", TWO_OF_THREE, _grafted)
_bad("one line at another time than was signed", "witness_signature_false", TWO_OF_THREE, _at_another_time)
_bad("one line over another tree", "witness_signature_false", TWO_OF_THREE, _over_another_tree)
_bad(
    "a line without a time",
    "witness_signature_false",
    TWO_OF_THREE,
    lambda note: (*ONE.lines(note, 0), *TWO.lines(note), *THREE.lines(note)),
)


def _trust(name: str, code: str, policy: str) -> None:
    """The trust file is written by hand: ours would refuse to."""

    def make(shop: Workshop) -> Specimen:
        escaped = policy.replace("\n", "\\n").replace("\t", "\\t").encode()
        before = b'"witness_policy":""'
        assert before in shop.honest.trust
        return replace(
            shop.honest, trust=shop.honest.trust.replace(before, b'"witness_policy":"' + escaped + b'"')
        )

    bad(f"trust file: {name}", "trust_readable", code)(make)


_trust("a witness policy without a quorum", "policy_invalid", f"witness w1 {ONE.vkeys[0]}\n")
_trust("a witness policy that is no policy", "policy_invalid", "every witness\n")
_trust(
    "a witness policy of another log",
    "policy_of_another_log",
    f"log {TestLogKeys('other.test/log').vkeys[0]}\n" + TWO_OF_THREE,
)
_trust(
    "a witness policy with another key of this log",
    "policy_of_another_log",
    f"log {TestLogKeys(name='stranger').vkeys[0]}\n" + TWO_OF_THREE,
)
