"""The job statement: the result, and how it was made. Nothing about who it was done for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from provenance.algorithms.registry import STATEMENT_SIGNATURES, STATEMENT_SUITE, signature_set
from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Count, Digest, Instant, Maybe, Raw, Sorted, Table, Word, of
from provenance.statements.leaks import LeakFigures
from provenance.statements.vocabulary import (
    AUDIO,
    CREDENTIALS,
    DECISIONS,
    DEVICES,
    EFFECTS,
    ENGINES,
    KINDS,
    LEAKS,
    LEAKS_LOOKS,
    MATCHED,
    MEDIA_TYPES,
    MODELS,
    MODES,
    QUALITY,
    QUALITY_CHECKS,
    RECOGNIZED,
    RECOVERY,
    SENSOR_NOISE,
    SOUND_DONE,
    TIERS,
    UNTOUCHED,
    WALLS,
)

SUBMITTER_KEY_BYTES = 32


@dataclass(frozen=True)
class JobFacts(Facts):
    """Signed by the worker's one-job keys, which a release statement certifies.

    Attributes:
        job_id: 32 hex digits.
        result_sha256: hex SHA-256 of the anonymized media file (not of its seal); the subject.
        result_bytes: size of that file, bytes.
        media_type: of that file.
        original_commitment: hex HMAC-SHA256 of the original under the submitter's salt; without the salt
            nobody can tell whether a copy that they hold is the original.
        policy_sha256: hex SHA-256 of the policy's text.
        terms_sha256: hex SHA-256 of the canonical terms.
        mode: the submitter's trade of speed for quality.
        effect: what covers a face.
        audio: what happened to the sound.
        models: hex SHA-256 of each model file, by name.
        measurement: hex SHA-256 over the worker's code, lock, models and policies.
        tier: how the worker was kept apart.
        walls: sorted names of the walls around the worker.
        device: what ran the models.
        engine: what ran the detector of faces, where the picture's size allowed it.
        frames: frames in the result.
        frames_with_faces: of those, the ones with a covered face.
        tracks: faces followed through the video.
        also_covered: what covers each kind of thing that was sought besides faces, by kind.
        frames_also_covered: frames in which something of that kind was covered, by the same kinds.
        quality: what was measured on the finished video, read back (docs/quality.md); empty for a still.
        quality_short: the checks that it did not pass, although it was made twice where that could help.
        sensor_noise: whether the fixed noise of the camera's sensor was suppressed.
        started_at: "2026-11-21T00:00:00Z".
        finished_at: the same form.
        signatures: the algorithms that the job's policy demands of its proof, sorted. Without every one of
            them the proof does not verify: a signature cannot be left away on the road.
        credentials: "c2pa" where the result carries a manifest, "none" where it does not.
        review_sha256: hex SHA-256 of the sealed review package that a person asked for; None without one. It
            binds package and job: nobody on the road can hand out another package, or none.
        decided: how often a person decided what, by word: "keep" leaves somebody visible whom the program had
            found. Empty where nobody decided anything.
        decisions_commitment: hex HMAC-SHA256 of the decisions under the submitter's salt; without the salt
            nobody can tell which thing was decided upon. None where nobody looked the job over.
        voices: how many people were heard speaking; 0 where nobody listened.
        sound_seconds: for how long which thing happened to the sound, rounded up; empty where all of it was
            removed or kept without listening to it, or there was none.
        words_bleeped: how often a word on the policy's list was heard and bleeped; None where none was
            sought.
        recognized: in how many frames, and on how many tracks, a face was shown or covered otherwise because
            it was recognized as that of somebody who is enrolled; never whose. Empty where nobody was.
        leaks: what attackers found in the finished result, behind the wall and before it was sealed
            (docs/leaks.md). A figure that nobody could take is not there; empty where nothing attacked.
        leaks_look: how much of the result they looked at.
        attackers: hex SHA-256 of each network that attacked, by name, each of them among `models`.
        independent: of those, the ones that took no part in covering.
        pieces: hex root of the salted commitment to the original in pieces (docs/pieces.md); without the
            salts nobody can tell anything from it. None in statements of workers that did not commit.
        untouched: under a policy that asks for evidence: frames, tiles of all of them, those that are shown
            to be the original's, and their share of the picture in thousandths. Else empty.
        untouched_sha256: hex SHA-256 of the sealed package that shows it; None where there is none.
        matched: against how many encrypted templates how many faces or voices were compared; what came of
            it, only the templates' owner can read. Empty where nobody was compared.
        scores_sha256: hex SHA-256 of the sealed file of those scores; None where there was nobody.
        recovery: hex SHA-256 of everything that is kept so that a quorum of custodians can have covers taken
            off, and of the policy that says who they are. Empty where nothing is kept: what was covered is
            then gone for good.
        submitter_key: what this one job knows its source by, 32 bytes: a commitment, uniformly random to
            everybody without the source's secret, whatever they can compute. None where the terms name none.
        submitter_number: 32 hex digits, random, the scope of that key; None with it.

    Raises:
        FormatError: a field does not take its value, more frames are covered than there are, the two tables
            of other kinds do not name the same ones, the figures of quality contradict the rest, something
            is decided by nobody, the sound's times contradict the word for all of it, the attackers' figures
            contradict themselves or the rest, a part of what is kept is missing, what is untouched is not
            counted as a whole, a source's key comes without its number, scores and who was compared
            contradict one another, or fewer signatures are demanded than every statement has
            (`signatures_too_weak`).
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:job:v1"
    SUBJECT_NAME: ClassVar[str] = "result"
    SUBJECT_FIELD: ClassVar[str | None] = "result_sha256"

    job_id: str = of(JOB_ID)
    result_sha256: str = of(Digest("result"))
    result_bytes: int = of(Count())
    media_type: str = of(Word(MEDIA_TYPES))
    original_commitment: str = of(Digest("commitment"))
    policy_sha256: str = of(Digest("policy"))
    terms_sha256: str = of(Digest("terms"))
    mode: str = of(Word(MODES))
    effect: str = of(Word(EFFECTS))
    audio: str = of(Word(AUDIO))
    models: Mapping[str, str] = of(Table(Word(MODELS), Digest("model")))
    measurement: str = of(Digest("measurement"))
    tier: str = of(Word(TIERS))
    walls: tuple[str, ...] = of(Sorted(Word(WALLS)))
    device: str = of(Word(DEVICES))
    engine: str = of(Word(ENGINES))
    frames: int = of(Count())
    frames_with_faces: int = of(Count())
    tracks: int = of(Count())
    also_covered: Mapping[str, str] = of(Table(Word(KINDS), Word(EFFECTS)))
    frames_also_covered: Mapping[str, int] = of(Table(Word(KINDS), Count()))
    quality: Mapping[str, int] = of(Table(Word(QUALITY), Count()))
    quality_short: tuple[str, ...] = of(Sorted(Word(QUALITY_CHECKS)))
    sensor_noise: str = of(Word(SENSOR_NOISE))
    started_at: str = of(Instant())
    finished_at: str = of(Instant())
    signatures: tuple[str, ...] = of(Sorted(Word(STATEMENT_SIGNATURES)), default=STATEMENT_SUITE)
    credentials: str = of(Word(CREDENTIALS), default="none")
    review_sha256: str | None = of(Maybe(Digest("ciphertext")), default=None)
    decided: Mapping[str, int] = of(Table(Word(DECISIONS), Count()), default={})
    decisions_commitment: str | None = of(Maybe(Digest("decisions")), default=None)
    voices: int = of(Count(), default=0)
    sound_seconds: Mapping[str, int] = of(Table(Word(SOUND_DONE), Count()), default={})
    words_bleeped: int | None = of(Maybe(Count()), default=None)
    recognized: Mapping[str, int] = of(Table(Word(RECOGNIZED), Count()), default={})
    leaks: Mapping[str, int] = of(Table(Word(LEAKS), Count()), default={})
    leaks_look: str = of(Word(LEAKS_LOOKS), default="none")
    attackers: Mapping[str, str] = of(Table(Word(MODELS), Digest("model")), default={})
    independent: tuple[str, ...] = of(Sorted(Word(MODELS)), default=())
    recovery: Mapping[str, str] = of(Table(Word(RECOVERY), Digest("recovery")), default={})
    pieces: str | None = of(Maybe(Digest("commitment")), default=None)
    untouched: Mapping[str, int] = of(Table(Word(UNTOUCHED), Count()), default={})
    untouched_sha256: str | None = of(Maybe(Digest("ciphertext")), default=None)
    matched: Mapping[str, int] = of(Table(Word(MATCHED), Count()), default={})
    scores_sha256: str | None = of(Maybe(Digest("ciphertext")), default=None)
    submitter_key: bytes | None = of(Maybe(Raw(SUBMITTER_KEY_BYTES)), default=None)
    submitter_number: str | None = of(Maybe(JOB_ID), default=None)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.frames_with_faces > self.frames:
            raise FormatError("more frames have faces than there are frames")
        if self.frames_also_covered.keys() != self.also_covered.keys():
            raise FormatError("the kinds that were covered and those that were counted differ")
        if any(count > self.frames for count in self.frames_also_covered.values()):
            raise FormatError("more frames are covered than there are frames")
        if self.quality_short and not self.quality:
            raise FormatError("a check was not passed that was never made")
        if self.quality.get("frames_read", 0) > self.frames:
            raise FormatError("more frames were read back than there are")
        if self.decided and self.decisions_commitment is None:
            raise FormatError("something is decided, and no decisions are named")
        if 0 in self.decided.values():
            raise FormatError("what nobody decided is not counted")
        if self.sound_seconds and self.audio != sound_as_a_whole(self.sound_seconds):
            raise FormatError("what happened to the sound and for how long differ")
        if 0 in self.sound_seconds.values():
            raise FormatError("what happened to none of the sound is not counted")
        if (self.voices or self.words_bleeped is not None) and not self.sound_seconds:
            raise FormatError("voices or words were heard where nobody listened")
        if self.recognized and (0 in self.recognized.values() or len(self.recognized) != len(RECOGNIZED)):
            raise FormatError("who is recognized is so in some frames, on some tracks")
        if self.recognized.get("frames", 0) > self.frames:
            raise FormatError("somebody is recognized in more frames than there are")
        LeakFigures(self.leaks, self.leaks_look, self.attackers, self.independent).require_sense(
            frames=self.frames, models=self.models, of_sound=self.media_type.startswith("audio/")
        )
        if self.recovery and len(self.recovery) != len(RECOVERY):
            raise FormatError("what is kept for custodians is kept whole")
        if (self.submitter_key is None) != (self.submitter_number is None):
            raise FormatError("a source's key and its number stand together")
        self._require_sense_of_pieces()
        self._require_sense_of_matching()
        signature_set(self.signatures)

    def _require_sense_of_pieces(self) -> None:
        if bool(self.untouched) != (self.untouched_sha256 is not None):
            raise FormatError("what is untouched is counted where a package shows it, and only there")
        if not self.untouched:
            return
        if self.untouched.keys() != set(UNTOUCHED) or self.pieces is None:
            raise FormatError("what is untouched is counted as a whole, of what was committed to")
        frames, tiles = self.untouched["frames"], self.untouched["tiles"]
        if frames != self.frames or not 0 < frames <= tiles or tiles % frames:
            raise FormatError("what is untouched is counted in all frames of the result")
        if self.untouched["tiles_open"] > tiles or self.untouched["open_permille"] > 1000:
            raise FormatError("more is untouched than there is")

    def _require_sense_of_matching(self) -> None:
        if self.matched and (self.matched.keys() != set(MATCHED) or not self.matched["templates"]):
            raise FormatError("who is compared is so with some templates")
        if bool(self.matched.get("vectors")) != (self.scores_sha256 is not None):
            raise FormatError("there are scores where somebody was compared, and only there")

    def subject_sha256(self) -> str:
        """SHA-256 of the anonymized media file."""
        return self.result_sha256


def sound_as_a_whole(seconds: Mapping[str, int]) -> str:
    """Gives the one word of `vocabulary.AUDIO` for a sound, some of which happened to it for how long."""
    if "kept" in seconds:
        return "kept" if len(seconds) == 1 else "partly_kept"
    return next(word for word in ("anonymized", "bleeped", "removed") if word in seconds)
