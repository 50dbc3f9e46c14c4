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
from enclave.policy.covers import (
    EFFECTS_BY_PSEUDONYM,
    MAX_KEPT_REGIONS,
    PLATE_DETECTORS,
    TEXT_DETECTORS,
    TEXT_EFFECTS,
    CoverPolicy,
    FacePolicy,
    KeptRegion,
    PeoplePolicy,
    read_cover,
    read_faces,
    read_kept,
    read_labels,
    read_people,
)
from enclave.policy.decisions import (
    COVERING,
    MAX_ROLES,
    VOICE,
    ReviewPolicy,
    RolePolicy,
    read_review,
    read_role_name,
    read_roles,
)
from enclave.policy.fields import Table
from enclave.policy.leaks import LeaksPolicy, read_leaks
from enclave.policy.matching import MATCHED
from enclave.policy.recovery import RecoveryPolicy, read_recovery
from enclave.policy.results import (
    ANONYMIZE,
    EVIDENCE,
    KEEP,
    REMOVE,
    SUPPRESS,
    AudioPolicy,
    CameraPolicy,
    EncodingPolicy,
    MetadataPolicy,
    ProofPolicy,
    read_audio,
    read_camera,
    read_encoding,
    read_metadata,
    read_proof,
)

SCHEMA = "bauta.policy/v1"
MAX_POLICY_BYTES = 64 << 10
MAX_DOTS_IN_LINE = 64
MODES = ("original", "quality", "balanced", "fast")

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")


@dataclass(frozen=True)
class Policy:
    """One policy, checked.

    Attributes:
        name: short name, a-z, 0-9 and hyphens.
        summary: one sentence for people.
        modes: what the submitter may choose from; the first is the default.
        locked: the submitter may choose no mode but the first, and nobody may decide to show more.
        faces: how faces are covered.
        people: how whole people are covered; None where they stay, but for their faces.
        text_cover: how text of any kind is covered (the table `[text]`); None where it stays.
        plates: how number plates are covered; None where they stay, unless as text.
        evidence: "lossless" for a lossless copy of a video, of which every tile that no cover touches is
            shown to be the original's; empty for none.
        matching: of what kind the people are who may be compared with encrypted templates, "face" or "voice";
            empty where nobody may be.
        keep: where text and plates may stay.
        keep_skin: where the cover of a whole person leaves the picture as it is, to the last bit. Faces, text
            and plates are covered there all the same.
        labels: "letters" writes a letter on each cover of a face; "none" does not.
        roles: what differs for a person who has one.
        default_role: what those are called who have none, for whom the tables above hold; empty for no word.
        review: what a person who looks over the result may decide.
        audio: what happens to sound.
        metadata: what the result may still say about itself.
        camera: what happens to the sensor's own noise.
        encoding: how the result of a video is coded.
        leaks: what attackers may find in the result before it is held back.
        proof: what the proof must withstand.
        recovery: what is kept for custodians.
        text: the whole TOML text that all of this came from.
    """

    name: str
    summary: str
    modes: tuple[str, ...]
    locked: bool
    faces: FacePolicy
    people: PeoplePolicy | None
    text_cover: CoverPolicy | None
    plates: CoverPolicy | None
    evidence: str
    matching: tuple[str, ...]
    keep: tuple[KeptRegion, ...]
    keep_skin: tuple[KeptRegion, ...]
    labels: str
    roles: tuple[RolePolicy, ...]
    default_role: str
    review: ReviewPolicy
    audio: AudioPolicy
    metadata: MetadataPolicy
    camera: CameraPolicy
    encoding: EncodingPolicy
    leaks: LeaksPolicy
    proof: ProofPolicy
    recovery: RecoveryPolicy
    text: str = field(repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the text's UTF-8 bytes, 32 bytes."""
        return hashlib.sha256(self.text.encode()).digest()

    @property
    def is_lossless(self) -> bool:
        """Whether a video stays outside the covers what it was, bit for bit."""
        return self.encoding.lossless or bool(self.evidence)

    @property
    def effects(self) -> dict[str, str]:
        """What covers each kind of thing that is asked for: "face" always, "person", "plate" and "text"."""
        wanted = {"face": self.faces, "person": self.people, "plate": self.plates, "text": self.text_cover}
        return {kind: cover.effect for kind, cover in wanted.items() if cover is not None}

    @property
    def anonymizes_voices(self) -> bool:
        """Whether somebody's voice is replaced by another one, be it only in a role."""
        chosen = self.review.effects.get(VOICE, ())
        return ANONYMIZE in {self.audio.effect, *chosen, *(role.audio for role in self.roles)}

    @property
    def changes_sound(self) -> bool:
        """Whether some sound is let through and some speech is not: where all stays, or none, it does not."""
        chosen = self.review.effects.get(VOICE, ())
        effects = {self.audio.effect, *chosen, *(role.audio for role in self.roles if role.audio)}
        return effects not in ({KEEP}, {REMOVE})

    @property
    def takes_pseudonym(self) -> bool:
        """Whether a pseudonym changes anything under it, if only by what a reviewer may decide."""
        if self.anonymizes_voices:
            return True
        effects = {self.faces.effect, *self.review.effects.get("face", ())}
        effects |= {role.covers["face"].effect for role in self.roles if "face" in role.covers}
        return not effects.isdisjoint(EFFECTS_BY_PSEUDONYM)

    @property
    def role_names(self) -> tuple[str, ...]:
        """Every role that a reviewer may give somebody; first the one that takes another back."""
        return ((self.default_role,) if self.default_role else ()) + tuple(role.name for role in self.roles)

    @property
    def enrolled_roles(self) -> tuple[str, ...]:
        """The roles that somebody may have by being recognized."""
        return tuple(role.name for role in self.roles if role.enrolled)

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
        faces=read_faces(faces),
        people=read_people(root.optional_table("people")),
        text_cover=read_cover(text_table, TEXT_EFFECTS, TEXT_DETECTORS),
        plates=read_cover(plates_table, TEXT_EFFECTS, PLATE_DETECTORS),
        evidence=root.choice("evidence", EVIDENCE, ""),
        matching=root.choices("matching", MATCHED, ()),
        keep_skin=tuple(read_kept(region) for region in root.tables("keep_skin", MAX_KEPT_REGIONS)),
        labels=read_labels(root.optional_table("labels")),
        roles=read_roles(root.tables("roles", MAX_ROLES)),
        default_role=read_role_name(root, "default_role") if root.has("default_role") else "",
        review=read_review(root.optional_table("review")),
        keep=tuple(read_kept(region) for region in root.tables("keep", MAX_KEPT_REGIONS)),
        audio=read_audio(audio),
        metadata=read_metadata(root.optional_table("metadata")),
        camera=read_camera(root.optional_table("camera")),
        encoding=read_encoding(root.optional_table("encoding")),
        leaks=read_leaks(root.optional_table("leaks")),
        proof=read_proof(root.optional_table("proof")),
        recovery=read_recovery(root.optional_table("recovery")),
        text=text,
    )
    for table in (faces, root):
        table.finish()
    if policy.keep and policy.text_cover is None and policy.plates is None:
        raise PolicyError("policy: keep has no meaning without text or plates")
    if policy.keep_skin and policy.people is None:
        raise PolicyError("policy: keep_skin has no meaning where people are not covered")
    if policy.keep_skin and policy.camera.noise == SUPPRESS:
        raise PolicyError("policy: skin that is kept keeps the sensor's noise: choose one of the two")
    _check_decisions(policy)
    _check_leaks(policy)
    if policy.is_lossless and policy.camera.noise == SUPPRESS:
        raise PolicyError("policy: what is lossless keeps the sensor's noise: choose one of the two")
    if policy.locked and policy.matching:
        raise PolicyError("policy: one that is locked has nobody recognized: no matching")
    if policy.locked and policy.recovery.keeps:
        raise PolicyError("policy: one that is locked lets nobody show more, custodians neither: no recovery")
    return policy


def _check_decisions(policy: Policy) -> None:
    if policy.locked and "warp" in policy.effects.values():
        raise PolicyError("policy: warp shows most of a face as it is: one that is locked cannot use it")
    if policy.locked and (policy.roles or not set(policy.review.may) <= set(COVERING)):
        raise PolicyError("policy: one that is locked lets nobody show more: no roles, no keep, no effect")
    given = "role" in policy.review.may
    if given != bool(policy.roles) and (given or not all(role.enrolled for role in policy.roles)):
        raise PolicyError('policy: there are roles if review.may names "role", or all of them are enrolled')
    if policy.enrolled_roles and policy.people is not None:
        raise PolicyError(
            "policy: where whole people are covered, nobody is shown by their face: no enrolled"
        )
    if policy.default_role and not policy.roles:
        raise PolicyError("policy: default_role has no meaning without roles")
    if policy.default_role in {role.name for role in policy.roles}:
        raise PolicyError("policy: default_role is what the tables for everybody are called, no other role")
    kinds = {kind for role in policy.roles for kind in role.covers} | set(policy.review.effects)
    if VOICE in kinds and policy.audio.effect == REMOVE:
        raise PolicyError("policy: where all sound is removed nobody listens: no review.effects.voice")
    if not kinds - {VOICE} <= policy.effects.keys():
        raise PolicyError("policy: a role or review.effects speaks of something that nothing covers")


def _check_leaks(policy: Policy) -> None:
    # A floor under something that nobody covers reads like a promise.
    if policy.leaks.texts_permille is not None and policy.text_cover is None and policy.plates is None:
        raise PolicyError("policy: leaks.texts_permille has no meaning without text or plates")
    if policy.leaks.voices_permille is not None and not policy.changes_sound:
        raise PolicyError("policy: leaks.voices_permille has no meaning where all sound stays, or none")


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
