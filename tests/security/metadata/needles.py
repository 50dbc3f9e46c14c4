"""What is planted: a needle for each place, so that what is found names where it came from."""

from __future__ import annotations

from typing import Final

# In every needle: what is searched for. Digits and capitals alone, so that no tool rewrites it.
STEM: Final = "NDL7Q"
CAPTURED: Final = "2019:08:17 14:23:51"
LATITUDE, LONGITUDE = 47.376887, 8.541694


def needle(place: str) -> str:
    """The needle of one place: letters and digits, a small z at its end."""
    return STEM + "".join(c for c in place.upper() if c.isalnum()) + "z"


def iso(captured: str) -> str:
    """A time as EXIF writes it, as everybody else does."""
    day, time = captured.split(" ")
    return f"{day.replace(':', '-')}T{time}"


def xmp(place: str, captured: str = iso(CAPTURED)) -> bytes:
    """An XMP packet with a needle, a place, a camera and a time of capture."""
    return (
        '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" '
        'xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" '
        f'exif:DateTimeOriginal="{captured}" aux:SerialNumber="{needle(place)}" '
        'exif:GPSLatitude="47,22.6132N"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()
