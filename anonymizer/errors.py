"""What can go wrong with media, as stable codes. No message holds anything of the file's content or name."""

from __future__ import annotations

from typing import Final

# The whole published list: a code and the sentence that goes with it.
MESSAGES: Final[dict[str, str]] = {
    "media_empty": "The file is empty.",
    "media_unknown_format": "The file is no video, still or sound of a kind that is taken (see the manual).",
    "media_truncated": "The file ends too early: part of it is missing.",
    "media_corrupt": "Part of the file cannot be decoded, so nothing was produced from it.",
    "media_no_video": "The file holds no pictures, and no sound that the policy leaves.",
    "media_too_large": "The picture has more pixels than the limit allows.",
    "media_too_long": "The video has more frames or lasts longer than the limit allows.",
    "media_size_changed": "The picture changes its size midway, which is not supported.",
    "media_unsupported": "The file uses a feature that is not supported, so nothing was produced from it.",
    "evidence_impossible": "What is asked for is a copy without any loss, and this original cannot be kept "
    "so: that takes a video that is 8-bit 4:2:0, of even size, not interlaced and not marked to be turned.",
    "camera_not_steady": "The camera is not steady, so nobody can tell what moves before it.",
    "model_missing": "A detector's model is not installed.",
    "model_digest_mismatch": "A detector's model is not the pinned one.",
    "model_manifest_invalid": "The description of an added model is not of its form.",
    "model_unusable": "An added model cannot be run as its description says.",
    "detector_failed": "A detector failed, so nothing was produced.",
    "enrolment_invalid": "A picture or a vector of somebody who is enrolled cannot be read.",
    "enrolment_no_face": "In a picture of somebody who is enrolled there is no face that can be recognized.",
    "enrolment_many_faces": "In a picture of somebody who is enrolled there is more than one face.",
    "enrolment_ambiguous": "Those who are enrolled cannot be told apart, or pictures of one person differ.",
    "result_unreadable": "The finished video could not be read back.",
    "result_unchecked": "Frames of the result were never looked at by a detector, so it is held back. Please "
    "report it: this must not happen.",
    "result_shows_faces": "In the result a face is seen, also after covering it again, wider and more "
    "sensitive, so it is held back: use a stricter policy, or draw a cover in the decisions of a review.",
    "result_shows_identities": "In the result somebody is recognized under a cover, also after covering "
    "again, wider, so it is held back: use a stronger effect, such as solid, or a larger cover.",
    "result_shows_text": "In the result text can be read, also after covering again, wider and more "
    "sensitive, so it is held back: use a stricter policy, or draw a cover in the decisions of a review.",
    "result_shows_voices": "In the result a voice is recognized as one of the original, so it is held back: "
    "use another pseudonym, or an effect that leaves nothing of a voice, such as bleep or remove.",
    "result_tells_metadata": "The finished file tells more than pictures and sound, so it is held back. "
    "Please report it: this must not happen.",
    "device_unavailable": "The requested inference device is not available.",
    "record_refused": "What an earlier job saw is not of this original, policy and worker.",
    "decisions_invalid": "The decisions cannot be applied to this job.",
    "review_too_large": "More was found than a review can hold.",
    "settings_invalid": "The settings are out of range.",
}


class AnonymizerError(Exception):
    """The media could not be anonymized; nothing that was written may be used.

    Attributes:
        code: one of MESSAGES.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        """Takes a published code and, where it helps, a detail of our own words (never content)."""
        self.code: Final = code
        super().__init__(f"{MESSAGES[code]} {detail}".strip())
