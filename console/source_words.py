"""What a proof of a source shows and what it does not, in words that a verifier cannot misread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from provenance.statements import JobFacts

SAYS_NOT: Final = (
    "Not shown: who that is, or anything about them.",
    "Not shown: that whoever brought you the answer is the source; an answer can be passed on.",
    "Not shown: that one person alone has the secret; a secret can be shared, lent or stolen.",
    "Not shown: whether any other submission is of the same source, or of another one.",
    "Not shown: that what was submitted is true, or that the source filmed it.",
)
SAYS_NOT_OF_MESSAGE: Final = (
    "Not shown: that the source wrote the message; it answers for exactly this file, and for nothing said "
    "beside it.",
)


@dataclass(frozen=True)
class Shown:
    """What a verifier was shown.

    Attributes:
        verifier: whose challenge was answered.
        submissions: the statements of the jobs, in the order in which they were named.
        message_sha256: hex, of the file that was handed in; None without one.
    """

    verifier: str
    submissions: tuple[JobFacts, ...]
    message_sha256: str | None

    def document(self) -> dict[str, Any]:
        """The outcome for programs."""
        return {
            "shown": True,
            "verifier": self.verifier,
            "one_source": len(self.submissions) > 1,
            "submissions": [
                {
                    "job": facts.job_id,
                    "number": facts.submitter_number,
                    "result_sha256": facts.result_sha256,
                    "finished_at": facts.finished_at,
                }
                for facts in self.submissions
            ],
            "message_sha256": self.message_sha256,
            "says": self._says(),
            "says_not": list(self._says_not()),
        }

    def text(self) -> str:
        """The outcome for a terminal."""
        jobs = [f"  job {facts.job_id}, made {facts.finished_at}" for facts in self.submissions]
        return "\n".join([self._says(), *jobs, *self._says_not()])

    def _says(self) -> str:
        handed_in = "" if self.message_sha256 is None else ", and hands in the message"
        return f"SHOWN to {self.verifier}: {_source_of(len(self.submissions))}{handed_in}."

    def _says_not(self) -> tuple[str, ...]:
        return SAYS_NOT if self.message_sha256 is None else (*SAYS_NOT, *SAYS_NOT_OF_MESSAGE)


def asked_in_words(verifier: str, submissions: int, *, of_message: bool) -> str:
    """Tells a source what it is about to show, and to whom."""
    of_what = "this submission is yours" if submissions == 1 else f"these {submissions} submissions are yours"
    message = ", and that you hand in the message" if of_message else ""
    return (
        f"{verifier} asks. The answer shows them, and whoever they show it to, that {of_what}{message}; "
        "nothing about any other one."
    )


def _source_of(submissions: int) -> str:
    if submissions == 1:
        return "whoever answered has the secret of the source of this submission"
    return f"one source, and one secret, stands behind these {submissions} submissions"
