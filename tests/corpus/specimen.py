"""The corpus of proofs: every specimen has a name, its files and the verdict that is due."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from provenance import canonical
from provenance.checkpoint import CheckpointText
from provenance.dsse import Envelope, sign_envelope
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from tests.unit.provenance.provenance_makers import (
    RESULT,
    House,
    TestSigner,
    job_facts,
    make_house,
    seed,
)


@dataclass(frozen=True)
class Specimen:
    """What a verifier is given.

    Attributes:
        result: the file.
        proof: the proof file.
        trust: the trust file.
    """

    result: bytes
    proof: bytes
    trust: bytes

    def with_proof(self, **changes: Any) -> Specimen:
        """Replaces fields of the proof, which is then written in its canonical form again."""
        return replace(self, proof=canonical.dumps({**json.loads(self.proof), **changes}) + b"\n")

    @property
    def parts(self) -> dict[str, Any]:
        """The proof as an object, to be changed and handed to `with_proof`."""
        return json.loads(self.proof)  # type: ignore[no-any-return]


@dataclass
class Workshop:
    """Everything that a maker needs: an honest service, one like it under other keys, and places to work.

    Attributes:
        house: the service whose keys the trust file names.
        folder: empty; for further houses.
    """

    house: House
    folder: Path

    @cached_property
    def honest(self) -> Specimen:
        """A sound proof of one job."""
        return self.specimen(self.house.prove_job())

    @cached_property
    def thrice_signed(self) -> Specimen:
        """A sound proof under a policy that demands a hash-based signature besides."""
        return self.specimen(self.house.prove_job("third", third=True))

    def specimen(self, proof: bytes, result: bytes = RESULT) -> Specimen:
        """A proof with the file and the trust file that belong to it."""
        return Specimen(result, proof, self.house.trust.to_bytes())

    def other_house(self, name: str, origin: str) -> House:
        """Another service with a log of its own."""
        folder = self.folder / name.replace("/", "-")
        folder.mkdir()
        return make_house(folder, origin, name)

    def job(self, signer: TestSigner | None = None, **changes: Any) -> Envelope:
        """A job's statement, signed."""
        return sign_envelope(job_facts(**changes).to_statement(), signer or TestSigner("worker"))

    def recorded(self, statement: Envelope, evidence: Envelope, kind: str = "job") -> Specimen:
        """A proof of what an attacker had the honest log record: the log records whatever it is given."""
        return self.specimen(self.house.prove(statement, [evidence], kind))


def log_part(specimen: Specimen, **changes: Any) -> Specimen:
    """Replaces fields of the proof of inclusion."""
    place = TlogProof.parse(ProofFile.from_bytes(specimen.proof).log)
    return specimen.with_proof(log=replace(place, **changes).to_bytes().decode())


def head_of(specimen: Specimen) -> tuple[CheckpointText, bytes]:
    """The checkpoint's text and its signature lines."""
    place = TlogProof.parse(ProofFile.from_bytes(specimen.proof).log)
    text, _, lines = place.checkpoint.partition(b"\n\n")
    return CheckpointText.parse(text + b"\n"), lines


def flip(encoded: str, position: int = 40) -> str:
    """One character of base64 becomes another."""
    return encoded[:position] + ("A" if encoded[position] != "A" else "B") + encoded[position + 1 :]


Maker = Callable[[Workshop], Specimen]


@dataclass(frozen=True)
class Entry:
    """A maker and the verdict that is due: the step and code of the failure, or None twice."""

    name: str
    make: Maker
    step: str | None = None
    code: str | None = None


CORPUS: dict[str, Entry] = {}


def good(name: str) -> Callable[[Maker], Maker]:
    """Adds a sound specimen."""
    return _adder(Entry(name, lambda _: Specimen(b"", b"", b"")))


def bad(name: str, step: str, code: str) -> Callable[[Maker], Maker]:
    """Adds a specimen with the defect that its name tells."""
    return _adder(Entry(name, lambda _: Specimen(b"", b"", b""), step, code))


def _adder(entry: Entry) -> Callable[[Maker], Maker]:
    def add(maker: Maker) -> Maker:
        assert entry.name not in CORPUS, entry.name
        CORPUS[entry.name] = replace(entry, make=maker)
        return maker

    return add


def make_workshop(folder: Path) -> Workshop:
    """An honest service with a few strangers' entries in its log."""
    home = folder / "home"
    home.mkdir()
    house = make_house(home)
    assert house.log.append("failure", seed("one more stranger")) > 0
    return Workshop(house, folder)
