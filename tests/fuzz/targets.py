"""The registry: every parser of this repository that meets bytes it has no reason to trust.

Two drivers take the targets from here: `test_targets.py`, short, in every test run, and `nightly.py`, guided
by coverage. A new parser is a new target in one of `rooms/`; `test_registry.py` fails until it is there.
"""

from __future__ import annotations

from tests.fuzz.rooms import (
    age,
    anchors,
    credentials,
    custody,
    desks,
    disclosures,
    evidence,
    media,
    networks,
    parts,
    pieces,
    policies,
    proofs,
    records,
    recovery,
    replies,
    resharing,
    reviews,
    sound,
    submitter,
    templates,
    vault,
    witnesses,
)
from tests.fuzz.target import Target

ROOMS = (
    age,
    policies,
    proofs,
    evidence,
    vault,
    replies,
    reviews,
    records,
    media,
    networks,
    sound,
    credentials,
    witnesses,
    custody,
    disclosures,
    desks,
    recovery,
    resharing,
    submitter,
    anchors,
    pieces,
    parts,
    templates,
)
TARGETS: dict[str, Target] = {target.name: target for room in ROOMS for target in room.TARGETS}
