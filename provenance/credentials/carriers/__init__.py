"""Where each file format carries a manifest (C2PA 2.2, appendix A).

contract.py  what a format has to say
jpeg.py      an APP11 segment
png.py       a caBX chunk
webp.py      a C2PA chunk
mp4.py       a uuid box; and the hash over the other boxes
"""

from collections.abc import Mapping
from typing import Final

from provenance.credentials.carriers import jpeg, mp4, png, webp
from provenance.credentials.carriers.contract import Carrier, Part, Place, Span, UnplaceableError, pieces

__all__ = ["CARRIERS", "Carrier", "Part", "Place", "Span", "UnplaceableError", "pieces"]

CARRIERS: Final[Mapping[str, Carrier]] = {
    "image/jpeg": jpeg.CARRIER,
    "image/png": png.CARRIER,
    "image/webp": webp.CARRIER,
    "video/mp4": mp4.CARRIER,
    "audio/mp4": mp4.CARRIER,
}
"""By media type; every type of result is here."""
