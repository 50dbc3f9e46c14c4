"""What a manifest says: what was done, where its evidence is, and which bytes it is about.

Nothing here is about the original or a person. There is no ingredient, since a parent would name the
original; no thumbnail; no device; no free text: every sentence is one of this module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import cbor2

from provenance.credentials.jumbf import CBOR, HEADER_BYTES, cbor_superbox
from provenance.credentials.labels import (
    ACTIONS_LABEL,
    BMFF_HASH_LABEL,
    DATA_HASH_LABEL,
    EVIDENCE_LABEL,
)

C2PA_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
HASH_ALGORITHM: Final = "sha256"
SHA256_BYTES: Final = 32

# IPTC NewsCodes: a mix of elements, any of which may or may not be generative AI. It says nothing about what
# the original was, and neither can we.
SOURCE_TYPE: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/composite"
_CREATED: Final = "c2pa.created"
_THINGS: Final = {
    "face": "Faces",
    "person": "Whole people",
    "plate": "Number plates",
    "text": "Lines of text",
}
_EFFECTS: Final = {
    "solid": ("c2pa.drawing", "covered with a solid patch"),
    "blur": ("c2pa.filtered", "blurred"),
    "mosaic": ("c2pa.filtered", "covered with a coarse mosaic"),
    "persona": ("c2pa.drawing", "covered with a drawn face that is nobody's"),
    "swap": ("c2pa.edited", "covered with another face"),
    "warp": ("c2pa.edited", "changed in shape"),
    "generator": ("c2pa.edited", "covered with a generated face"),
    "remove": ("c2pa.edited", "replaced by the background"),
    "silhouette": ("c2pa.drawing", "covered with a plain outline"),
}
_SOUND: Final = {
    "anonymized": ("c2pa.edited", "Voices were replaced by made ones."),
    "bleeped": ("c2pa.edited", "Voices were replaced by a tone."),
    "partly_kept": ("c2pa.edited", "Some of the voices were replaced or removed."),
    "removed": ("c2pa.edited", "The sound was removed."),
}
_ALL_METADATA: Final = ("c2pa.edited.metadata", "Every metadata field was dropped.")
_ALL_BUT_MONTH: Final = (
    "c2pa.edited.metadata",
    "Every metadata field was dropped, but for the month of capture where there was one.",
)
_ENCODED: Final = ("c2pa.transcoded", "Picture and sound were encoded anew.")


@dataclass(frozen=True)
class Assertion:
    """One assertion of a manifest.

    Attributes:
        label: what the claim calls it.
        content: CBOR.
    """

    label: str
    content: bytes

    @property
    def box(self) -> bytes:
        """Its superbox."""
        return cbor_superbox(CBOR, self.label, self.content)

    @property
    def sha256(self) -> bytes:
        """What a claim refers to it by: the hash of what is in the superbox (C2PA 2.2, 8.4.2.3)."""
        return hashlib.sha256(self.box[HEADER_BYTES:]).digest()


def actions(covered: Mapping[str, str], audio: str, *, month_stays: bool = False) -> Assertion:
    """Says what was done to the picture and the sound, in the specification's own words (C2PA 2.2, 18.15).

    Args:
        covered: the effect (one of `vocabulary.EFFECTS`) by the kind of thing that it covers somewhere in the
            result: "face", or one of `vocabulary.KINDS`. Of what was covered nowhere nothing is said.
        audio: what happened to the sound, one of `vocabulary.AUDIO`.
        month_stays: whether the month of capture was kept, if the original said it.
    """
    done = [_covering(kind, covered[kind]) for kind in sorted(covered)]
    done += [_SOUND[audio]] if audio in _SOUND else []
    listed = [{"action": _CREATED, "digitalSourceType": SOURCE_TYPE}]
    done += [_ALL_BUT_MONTH if month_stays else _ALL_METADATA, _ENCODED]
    listed += [{"action": action, "description": sentence} for action, sentence in done]
    return Assertion(ACTIONS_LABEL, _cbor({"actions": listed, "allActionsIncluded": True}))


def _covering(kind: str, effect: str) -> tuple[str, str]:
    action, how = _EFFECTS[effect]
    return action, f"{_THINGS[kind]} that were found were {how}."


def evidence(evidence_sha256: bytes, log_origin: str) -> Assertion:
    """Says where a reader of the file finds this job: the log, and the digest of its evidence there.

    Args:
        evidence_sha256: of the envelope of the job's release statement, 32 bytes; the log holds it under the
            kind `release`.
        log_origin: the log's name.
    """
    # In hexadecimal: some readers turn byte strings into lists of numbers.
    return Assertion(EVIDENCE_LABEL, _cbor({"evidenceSha256": evidence_sha256.hex(), "log": log_origin}))


def data_hash(start: int, length: int, content_sha256: bytes, padding: int = 0) -> Assertion:
    """Binds a manifest to a picture: the hash of all its bytes but the manifest's own (C2PA 2.2, 18.5).

    Args:
        start: where the manifest's carrier begins in the file.
        length: of that carrier, bytes.
        content_sha256: of everything else, 32 bytes.
        padding: bytes that make the manifest longer and mean nothing.
    """
    return Assertion(
        DATA_HASH_LABEL,
        _cbor(
            {
                "exclusions": [{"start": start, "length": length}],
                "name": "jumbf manifest",
                "alg": HASH_ALGORITHM,
                "hash": content_sha256,
                "pad": bytes(padding),
            }
        ),
    )


def bmff_hash(content_sha256: bytes) -> Assertion:
    """Binds a manifest to an MP4: the hash of its boxes but three kinds that must be left out (18.6).

    Args:
        content_sha256: see `provenance.credentials.carriers.mp4`, 32 bytes.
    """
    return Assertion(
        BMFF_HASH_LABEL,
        _cbor(
            {
                "exclusions": [
                    {"xpath": "/uuid", "data": [{"offset": 8, "value": C2PA_UUID}]},
                    {"xpath": "/ftyp"},
                    {"xpath": "/mfra"},
                ],
                "alg": HASH_ALGORITHM,
                "hash": content_sha256,
                "name": "jumbf manifest",
            }
        ),
    )


def _cbor(content: dict[str, Any]) -> bytes:
    return cbor2.dumps(content)
