"""A job's review: what it is handed of an earlier passage, and what it hands on."""

from __future__ import annotations

from collections.abc import Callable

from anonymizer.detect.finders import Finder
from anonymizer.enrolled.recognizing import Recognition
from anonymizer.errors import AnonymizerError
from anonymizer.review.deciding import Numbers
from anonymizer.review.decisions import Decisions
from anonymizer.review.recording import Record, parse_record
from anonymizer.review.replaying import finders_of
from anonymizer.review.session import Session
from anonymizer.review.sheet import Sheet
from anonymizer.settings import Kind, Settings
from anonymizer.speakers.turns import Turns


class Review:
    """Asks a job for a record and a sheet. Made for one job; asked for both when it is done."""

    def __init__(self, record: bytes = b"", decisions: Decisions | None = None) -> None:
        """Takes what an earlier job on the same original handed on, if it is to be replayed.

        Args:
            record: what `record` gave then.
            decisions: about it.

        Raises:
            AnonymizerError: record_refused; decisions_invalid, where they come without a record.
        """
        if decisions is not None and not record:
            raise AnonymizerError("decisions_invalid", "They need the record of what they are about.")
        self._replayed = parse_record(record) if record else None
        self._decisions = decisions
        self._session: Session | None = None

    def open(
        self,
        settings: Settings,
        look: Callable[[], tuple[Finder, ...]],
        recognition: Recognition | None = None,
    ) -> Session:
        """Begins a passage: the job's first, or another one, which then counts alone.

        Args:
            settings: of the job.
            look: opens detectors; not called where a record is replayed.
            recognition: says who is recognized; not asked there either.

        Raises:
            AnonymizerError: record_refused, decisions_invalid, or what `look` raises.
        """
        replayed = self._replayed
        finders = look() if replayed is None else finders_of(replayed, settings)
        self._session = Session(
            finders,
            keeps=True,
            replayed=replayed,
            decisions=self._decisions,
            as_role=settings.as_role,
            recognition=recognition,
            roles=settings.roles_enrolled,
            voice=settings.audio,
            voice_as_role=settings.voice_as_role,
        )
        return self._session

    @property
    def replays(self) -> bool:
        """Whether the record of an earlier passage is told again, and nobody looks."""
        return self._replayed is not None

    @property
    def replayed_turns(self) -> Turns | None:
        """Who spoke when, by the record that is replayed; None where there is none, or nobody listened."""
        return self._replayed.spoken if self._replayed is not None else None

    def kind_of(self, track: int) -> Kind:
        """Returns what a thing of the replayed record is.

        Raises:
            AnonymizerError: decisions_invalid, where there is none to replay.
        """
        if self._replayed is None:
            raise AnonymizerError("decisions_invalid")
        return Numbers([searched.kinds for searched in self._replayed.searches]).kind_of(track)

    @property
    def record(self) -> bytes:
        """Everything that was seen, for `Review(record)` on the same original.

        Raises:
            AnonymizerError: review_too_large.
        """
        return self._finished()[0].to_bytes()

    @property
    def sheet(self) -> Sheet:
        """What a person is shown."""
        return self._finished()[1]

    def _finished(self) -> tuple[Record, Sheet]:
        session = self._session
        if session is None or session.record is None or session.sheet is None:
            raise RuntimeError("the job has not ended")
        return session.record, session.sheet
