"""The policy: what is covered, how, and what the submitter may still choose.

A policy is a TOML file. Its digest is the SHA-256 of the file's text, so that the proof names exactly the
text that a person can read. Parsing is strict: an unknown or missing key, a wrong type or a value out of
range is an error that names the key.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, field

from enclave.errors import PolicyError
from enclave.policy.fields import Table
from provenance.keys import STATEMENT_SIGNATURES, STATEMENT_SUITE

SCHEMA = "bauta.policy/v1"
MAX_POLICY_BYTES = 64 << 10
MAX_DOTS_IN_LINE = 64
MODES = ("original", "quality", "balanced", "fast")
_ON_ANYTHING = ("solid", "blur", "mosaic")
FACE_EFFECTS = (*_ON_ANYTHING, "persona", "swap", "warp", "generator")
PEOPLE_EFFECTS = (*_ON_ANYTHING, "remove", "silhouette")
TEXT_EFFECTS = _ON_ANYTHING
SHAPES = ("box", "ellipse")
AUDIO_EFFECTS = ("remove", "keep")
REMOVE = "remove"
CAPTURED = (REMOVE, "month")
NO_CREDENTIALS = "none"
CREDENTIALS = (NO_CREDENTIALS, "c2pa")
# Who may look; the first is what looks by default, custom-... what the operator has added (docs/models.md).
FACE_DETECTORS = ("centerface", "mediapipe-face", "custom-face")
PEOPLE_DETECTORS = ("mediapipe-pose", "steady-camera", "custom-person")
TEXT_DETECTORS = ("ppocr-text", "custom-text")
PLATE_DETECTORS = ("ppocr-text", "custom-plate")
MAX_KEPT_REGIONS = 16

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class FacePolicy:
    """How faces are found and covered.

    Attributes:
        effect: one of FACE_EFFECTS.
        shape: "box" or "ellipse".
        scale: width and height of the cover, as a multiple of the detected face's (1.0 to 3.0).
        threshold: detector score from which something counts as a face (0.05 to 0.9); lower finds more.
        passes: looks at each frame that is searched (1 to 3): as the mode says; larger, with a lower
            threshold; mirrored.
        linger_seconds: how long a cover stays where a face was last seen (0 to 10).
        lookahead_seconds: how long before its first detection a face is covered (0 to 10).
        detectors: names of detectors; what any of them finds is covered.
    """

    effect: str
    shape: str
    scale: float
    threshold: float
    passes: int
    linger_seconds: float
    lookahead_seconds: float
    detectors: tuple[str, ...] = FACE_DETECTORS[:1]


@dataclass(frozen=True)
class CoverPolicy:
    """How whole people, text, or the text that has the shape of a number plate are found and covered.

    Attributes:
        effect, shape, scale, linger_seconds, lookahead_seconds: as for faces.
        threshold: from which likelihood something counts (0.05 to 0.9): that a body's points are somewhere,
            or the mean that pixels are text; lower finds more.
        detectors: names of detectors; what any of them finds is covered.
    """

    effect: str
    shape: str
    scale: float
    threshold: float
    linger_seconds: float
    lookahead_seconds: float
    detectors: tuple[str, ...]


@dataclass(frozen=True)
class KeptRegion:
    """Where text and plates may stay: a channel's logo. A face there is covered all the same.

    Attributes:
        left, top, right, bottom: shares of the picture's width and height (0 to 1).
    """

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class AudioPolicy:
    """What happens to sound.

    Attributes:
        effect: "remove" or "keep".
    """

    effect: str


@dataclass(frozen=True)
class MetadataPolicy:
    """What a result may still say about itself; all else that a file tells is removed, always.

    Attributes:
        captured: "month" keeps the month in which the original says that it was captured; "remove" does not.
    """

    captured: str = REMOVE


@dataclass(frozen=True)
class ProofPolicy:
    """What the proof must withstand.

    Attributes:
        signatures: the algorithms that sign the evidence and the statement, in the order in which signatures
            stand: "ed25519" and "mldsa65" always, and "slhdsa128s" for a proof that must last decades.
        credentials: "c2pa" puts content credentials into the result: whoever has the file alone then learns
            which service made it and where its log says so, and with that when. "none" does not.
    """

    signatures: tuple[str, ...] = STATEMENT_SUITE
    credentials: str = NO_CREDENTIALS

    @property
    def wants_credentials(self) -> bool:
        """Whether the result shall carry a manifest."""
        return self.credentials != NO_CREDENTIALS


@dataclass(frozen=True)
class Policy:
    """One policy, checked.

    Attributes:
        name: short name, a-z, 0-9 and hyphens.
        summary: one sentence for people.
        modes: what the submitter may choose from; the first is the default.
        locked: the submitter may choose no mode but the first.
        faces: how faces are covered.
        people: how whole people are covered; None where they stay, but for their faces.
        text_cover: how text of any kind is covered (the table `[text]`); None where it stays.
        plates: how number plates are covered; None where they stay, unless as text.
        keep: where text and plates may stay.
        audio: what happens to sound.
        metadata: what the result may still say about itself.
        proof: what the proof must withstand.
        text: the whole TOML text that all of this came from.
    """

    name: str
    summary: str
    modes: tuple[str, ...]
    locked: bool
    faces: FacePolicy
    people: CoverPolicy | None
    text_cover: CoverPolicy | None
    plates: CoverPolicy | None
    keep: tuple[KeptRegion, ...]
    audio: AudioPolicy
    metadata: MetadataPolicy
    proof: ProofPolicy
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text's UTF-8 bytes, 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def effects(self) -> dict[str, str]:
        """What covers each kind of thing that is asked for: "face" always, "person", "plate" and "text"."""
        wanted = {"face": self.faces, "person": self.people, "plate": self.plates, "text": self.text_cover}
        return {kind: cover.effect for kind, cover in wanted.items() if cover is not None}

    @property
    def allowed_modes(self) -> tuple[str, ...]:
        """The modes that terms under this policy may name, the default first."""
        return self.modes[:1] if self.locked else self.modes


def parse_policy(text: str) -> Policy:
    """Reads a policy.

    Args:
        text: TOML, at most 64 KiB.

    Raises:
        PolicyError: not TOML, or not exactly the keys of `bauta.policy/v1` with values in range.
    """
    root = Table(_load(text))
    root.choice("schema", (SCHEMA,))
    name = root.text("name", 32)
    if not _NAME.fullmatch(name):
        raise PolicyError("policy: name must be a lower-case letter, then letters, digits or hyphens")
    faces, audio = root.table("faces"), root.table("audio")
    text_table, plates_table = root.optional_table("text"), root.optional_table("plates")
    policy = Policy(
        name=name,
        summary=root.text("summary", 300),
        modes=root.choices("modes", MODES),
        locked=root.flag("locked"),
        faces=_faces(faces),
        people=_cover(root.optional_table("people"), PEOPLE_EFFECTS, PEOPLE_DETECTORS),
        text_cover=_cover(text_table, TEXT_EFFECTS, TEXT_DETECTORS),
        plates=_cover(plates_table, TEXT_EFFECTS, PLATE_DETECTORS),
        keep=tuple(_kept(region) for region in root.tables("keep", MAX_KEPT_REGIONS)),
        audio=AudioPolicy(effect=audio.choice("effect", AUDIO_EFFECTS)),
        metadata=_metadata(root.optional_table("metadata")),
        proof=_proof(root.optional_table("proof")),
        text=text,
    )
    for table in (faces, audio, root):
        table.finish()
    if policy.keep and policy.text_cover is None and policy.plates is None:
        raise PolicyError("policy: keep has no meaning without text or plates")
    return policy


def _faces(table: Table) -> FacePolicy:
    return FacePolicy(
        effect=table.choice("effect", FACE_EFFECTS),
        shape=table.choice("shape", SHAPES),
        scale=table.number("scale", 1.0, 3.0),
        threshold=table.number("threshold", 0.05, 0.9),
        passes=table.count("passes", 1, 3),
        linger_seconds=table.number("linger_seconds", 0.0, 10.0),
        lookahead_seconds=table.number("lookahead_seconds", 0.0, 10.0),
        detectors=table.choices_or("detectors", FACE_DETECTORS, FACE_DETECTORS[:1]),
    )


def _cover(table: Table | None, effects: tuple[str, ...], detectors: tuple[str, ...]) -> CoverPolicy | None:
    if table is None:
        return None
    found = CoverPolicy(
        effect=table.choice("effect", effects),
        shape=table.choice("shape", SHAPES),
        scale=table.number("scale", 1.0, 3.0),
        threshold=table.number("threshold", 0.05, 0.9),
        linger_seconds=table.number("linger_seconds", 0.0, 10.0),
        lookahead_seconds=table.number("lookahead_seconds", 0.0, 10.0),
        detectors=table.choices_or("detectors", detectors, detectors[:1]),
    )
    table.finish()
    return found


def _kept(table: Table) -> KeptRegion:
    left, top, right, bottom = (table.number(edge, 0.0, 1.0) for edge in ("left", "top", "right", "bottom"))
    table.finish()
    if left >= right or top >= bottom:
        raise PolicyError("policy: keep needs left before right and top before bottom")
    return KeptRegion(left, top, right, bottom)


def _metadata(table: Table | None) -> MetadataPolicy:
    if table is None:
        return MetadataPolicy()
    captured = table.choice("captured", CAPTURED)
    table.finish()
    return MetadataPolicy(captured=captured)


def _proof(table: Table | None) -> ProofPolicy:
    if table is None:
        return ProofPolicy()
    # A table that says nothing at all is a mistake; one that speaks of something else keeps the default.
    unsaid = STATEMENT_SUITE if table.has("credentials") else None
    named = table.choices("signatures", STATEMENT_SIGNATURES, unsaid)
    if not set(STATEMENT_SUITE) <= set(named):
        raise PolicyError(f"policy: proof.signatures must hold {' and '.join(STATEMENT_SUITE)}")
    credentials = table.choice("credentials", CREDENTIALS, NO_CREDENTIALS)
    table.finish()
    return ProofPolicy(
        signatures=tuple(name for name in STATEMENT_SIGNATURES if name in named), credentials=credentials
    )


def _load(text: str) -> dict[str, object]:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise PolicyError("policy: the text is not valid Unicode") from None
    if size > MAX_POLICY_BYTES:
        raise PolicyError(f"policy: the text is larger than {MAX_POLICY_BYTES} bytes")
    # tomllib takes a key's parts in quadratic time: seconds for one key of 64 KiB.
    if any(line.count(".") > MAX_DOTS_IN_LINE for line in text.split("\n")):
        raise PolicyError(f"policy: a line has more than {MAX_DOTS_IN_LINE} dots")
    try:
        return tomllib.loads(text)
    # ValueError: tomllib lets it out for impossible dates; RecursionError: deep nesting.
    except (ValueError, RecursionError):
        raise PolicyError("policy: the text is not TOML") from None
