"""What can go wrong when results are looked at, as stable codes. No message holds anything of a file."""

from __future__ import annotations

from typing import Final

MESSAGES: Final[dict[str, str]] = {
    "comparison_mismatch": "These are not an original and its result: their pictures do not go together.",
    "comparison_format": "A comparison of videos is an MP4 or a picture, one of stills a picture.",
    "media_unreadable": "One of the files cannot be read.",
    "scores_invalid": "An attacker's scores are no table of finite numbers.",
    "too_few_persons": "An attack needs at least two people, each with at least two recordings.",
    "sound_unreadable": "The file holds no sound that can be read.",
    "sound_too_short": "The file holds less than half a second of sound.",
    "folder_without_speakers": "The folder holds no recordings in a folder for each speaker.",
    "folder_too_large": "The folder holds more recordings than an evaluation takes.",
    "file_and_folder": "Give two files, or two folders; not one of each.",
    "nothing_pairs": "No original and result go together: they need the same speaker's folder and name.",
    "model_missing": "A model that the attackers need is not installed.",
    "training_too_small": "Learning from other people takes at least two of them, with two recordings each.",
    "recognizer_missing": "No face recognizer is here: install bauta[evaluation], or name one by manifest.",
    "reidentifier_missing": "No person re-identifier is here; name one by its manifest (--recognizer).",
    "recognizer_failed": "A recognizer answered what is no vector.",
    "no_faces": "No face was found in the originals.",
    "too_many_faces": "A picture to enrol by shows one face and no other; 1,024 at most are compared.",
    "no_voice": "No voice was heard in a recording.",
    "no_people": "Nobody was found in the originals.",
    "part_unwritable": "Its pictures or its sound are of a form that no part is written in.",
    "pieces_made_otherwise": "By this opening, this file is not what was committed to: one of them is of "
    "another job, or the file decodes otherwise here than it did there.",
    "reveal_nothing": "Nothing of the original lies within what was asked for.",
    "decoder_failed": "The process that decodes the file broke off.",
    "no_motion": "No film of the originals is as long as one of the classifier's clips.",
    "files_do_not_pair": "No file of the one folder has its counterpart in the other.",
}


class EvaluationError(Exception):
    """Nothing was found out; nothing that was written may be used.

    Attributes:
        code: one of MESSAGES, or one of the anonymizer's about media and models.
    """

    def __init__(self, code: str, message: str = "") -> None:
        """Takes a code and, where it is not one of MESSAGES, the sentence that goes with it."""
        self.code: Final = code
        super().__init__(message or MESSAGES[code])
