"""Media: the readers of headers before any decoder, the JPEG decoder, and the whole way of a damaged file.

FFmpeg, OpenCV and the inference engine are native code that coverage of Python does not see; what is asked
here is that whatever they do comes out as a code of ours, and that no result comes out beside an error.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from anonymizer import AnonymizerError, Limits, Models, Settings, anonymize, load_models
from anonymizer.added import parse_any
from anonymizer.enrolled.portraits import LIMITS as PORTRAIT_LIMITS
from anonymizer.enrolled.portraits import decode_portrait, read_vector
from anonymizer.errors import MESSAGES
from anonymizer.intake.captured import month_of_still
from anonymizer.intake.exif import TURNS, orientation_of
from anonymizer.intake.jpeg import decode_jpeg
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.still_size import still_header
from anonymizer.intake.wholeness import check_whole
from anonymizer.leaks.metadata import metadata_left
from provenance.pieces.original import OriginalTrees
from tests.enrolled_faces import manifest_text
from tests.fuzz.target import Target
from tests.media_factory import KINDS, face_clip, face_image, png_chunk

STILLS = (".jpg", ".png", ".webp")
LIMITS = Limits(max_frame_pixels=256 * 256, max_frames=200, max_duration_seconds=60)
SUBMITTER = "whoever submits, inside the seal"
MARKERS = (
    b"\xff\xd8\xff",
    b"\xff\xda\x00\x02",
    b"\xff\xd9",
    b"IHDR",
    b"IEND",
    b"acTL",
    b"eXIf",
    b"RIFF",
    b"VP8X",
)
BOXES = (
    b"GIF89a",
    b"\x21\xf9",
    b"\x2c",
    b"\x3b",
    b"ftyp",
    b"moov",
    b"mdat",
    b"\x18\x53\x80\x67",
    b"II*\0\x08\0\0\0",
)


@cache
def sample(suffix: str) -> bytes:
    """A small file of a kind, with a face and metadata."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"in{suffix}"
        if suffix in KINDS:
            return face_clip(path, 0.3, 10, (64, 48)).read_bytes()
        return face_image(path, (64, 64), planted=True).read_bytes()


@cache
def samples() -> tuple[bytes, ...]:
    """One of each kind."""
    return tuple(sample(suffix) for suffix in (*KINDS, *STILLS))


def read_headers(untrusted: bytes) -> None:
    """Everything that is read before a decoder sees a byte."""
    source = io.BytesIO(untrusted)
    kind = sniff(source)
    assert source.tell() == 0
    check_whole(source, kind, LIMITS)
    if kind.is_still:
        header = still_header(untrusted, kind, LIMITS)
        assert 0 < header.width * header.height <= LIMITS.max_frame_pixels


def read_portrait(untrusted: bytes) -> None:
    """A picture that is read is grey or in colours, and within its bounds."""
    height, width, channels = decode_portrait(untrusted).shape
    assert channels in {1, 3}
    assert height * width <= PORTRAIT_LIMITS.max_frame_pixels


def read_orientation(untrusted: bytes) -> None:
    """A block that cannot be read is no reason to refuse a picture; a month is a month, or there is none."""
    assert orientation_of(untrusted) in TURNS.values()
    for kind in (Format.JPEG, Format.PNG, Format.WEBP):
        month = month_of_still(untrusted, kind)
        assert month is None or re.fullmatch(r"(19|20)\d\d-[01]\d", month)


def stills_that_say_when() -> tuple[bytes, ...]:
    """Stills with EXIF and XMP, compressed or not."""
    packet = b'<x photoshop:DateCreated="2019-08-17">'
    head, plain = b"XML:com.adobe.xmp\0", sample(".png")
    texts = (head + b"\0\0\0\0" + packet, head + b"\1\0\0\0" + zlib.compress(packet))
    return tuple(plain[:33] + png_chunk(b"iTXt", text) + plain[33:] for text in texts)


FINISHED = {
    Format.MP4: ("video/mp4", "audio/mp4"),
    Format.JPEG: ("image/jpeg",),
    Format.PNG: ("image/png",),
    Format.WEBP: ("image/webp",),
}


def read_finished(untrusted: bytes) -> None:
    """What a finished file tells is a number, and the stream is left where it begins."""
    source = io.BytesIO(untrusted)
    for media_type in FINISHED.get(sniff(source), ("image/gif",)):
        for month in (None, "2019-08"):
            assert metadata_left(source, media_type, month=month) >= 0
            assert source.tell() == 0


@cache
def _models() -> Models:
    return load_models("cpu")


def take_whole(untrusted: bytes) -> None:
    """The whole anonymizer: a result or a published code, and never both."""
    sink = io.BytesIO()
    chosen = Settings(mode="fast", audio="keep")
    refusal: AnonymizerError | None = None
    trees = OriginalTrees(bytes(32), tiles=True)
    try:
        anonymize(
            io.BytesIO(untrusted), sink, settings=chosen, models=_models(), limits=LIMITS, committer=trees
        )
    except AnonymizerError as error:
        refusal = error
    assert bool(sink.getvalue()) == (refusal is None)
    if refusal is not None:
        assert refusal.code in MESSAGES
        raise refusal
    trees.finish()
    assert len(trees.commitment().root) == 32


MANIFEST = b"""\
schema = "bauta.model/v1"
kind = "face"
file = "mine.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
decoder = "scrfd"
licence = "MIT"
source = "https://example.org/mine"

[input]
width = 640
height = 384
colours = "bgr"
mean = [127.5, 127.5, 127.5]
deviation = [128.0, 128.0, 128.0]
"""
SOURCE_FACE = b"""schema = "bauta.model/v1"
kind = "source-face"
file = "somebody.png"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
consent = "agreed in writing on 2026-01-05"
licence = "CC0"
source = "https://example.org/somebody"
"""
GENERATOR = b"""schema = "bauta.model/v1"
kind = "generator"
file = "faces.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
licence = "MIT"
source = "https://example.org/faces"

[input]
seed = 128
landmarks = "five"
pose = true

[output]
side = 256
alpha = false
lowest = -1.0
highest = 1.0
"""

TARGETS = (
    Target(
        name="media_header",
        sender=SUBMITTER,
        parsers=(
            "anonymizer.intake.sniff.sniff",
            "anonymizer.intake.wholeness.check_whole",
            "anonymizer.intake.gif.check_gif",
            "anonymizer.intake.still_size.still_header",
        ),
        parse=read_headers,
        seeds=samples,
        errors=(AnonymizerError,),
        tokens=(*MARKERS, *BOXES),
        examples=800,
    ),
    Target(
        name="exif",
        sender=SUBMITTER,
        parsers=("anonymizer.intake.exif.orientation_of", "anonymizer.intake.captured.month_of_still"),
        parse=read_orientation,
        seeds=lambda: (*map(sample, STILLS), *stills_that_say_when()),
        errors=(),
        tokens=(*MARKERS, *BOXES, b"\x03\x90\x02\0", b"\x69\x87\x04\0", b'exif:DateTimeOriginal="2019-08'),
        examples=400,
    ),
    Target(
        name="finished_file",
        sender="our own encoders, fed by whoever submits",
        parsers=(
            "anonymizer.leaks.metadata.metadata_left",
            "anonymizer.leaks.told.boxes.boxes_in",
            "anonymizer.leaks.told.boxes.places_in",
            "anonymizer.leaks.told.movie.Movie.__init__",
            "anonymizer.leaks.told.samples.samples_of",
            "anonymizer.leaks.told.coded.told_in_pictures",
            "anonymizer.leaks.told.coded.told_in_sound",
            "anonymizer.leaks.told.jpeg.told_by_jpeg",
            "anonymizer.leaks.told.png.told_by_png",
            "anonymizer.leaks.told.webp.told_by_webp",
        ),
        parse=read_finished,
        seeds=lambda: (sample(".mp4"), *map(sample, STILLS)),
        errors=(AnonymizerError,),
        tokens=(*MARKERS, *BOXES, b"trak", b"stsz", b"stsc", b"stco", b"avcC", b"udta", b"\0\0\0\x08free"),
        examples=400,
    ),
    Target(
        name="jpeg",
        sender=SUBMITTER,
        parsers=("anonymizer.intake.jpeg.decode_jpeg",),
        parse=decode_jpeg,
        seeds=lambda: (sample(".jpg"),),
        errors=(AnonymizerError,),
        tokens=MARKERS,
    ),
    Target(
        name="enrolled_picture",
        sender=SUBMITTER,
        parsers=("anonymizer.enrolled.portraits.decode_portrait",),
        parse=read_portrait,
        seeds=lambda: (sample(".jpg"), sample(".png")),
        errors=(AnonymizerError,),
        tokens=MARKERS,
        examples=400,
    ),
    Target(
        name="enrolled_vector",
        sender=SUBMITTER,
        parsers=("anonymizer.enrolled.portraits.read_vector",),
        parse=lambda untrusted: read_vector(untrusted, 64),
        seeds=lambda: (struct.pack("<64f", *range(64)),),
        errors=(AnonymizerError,),
        tokens=(b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f"),
    ),
    Target(
        name="model_manifest",
        sender="whoever offers a model to an operator",
        parsers=(
            "anonymizer.added.parse_any",
            "anonymizer.manifest.parse_manifest",
            "anonymizer.face_manifests.parse_face_manifest",
            "anonymizer.enrolled.manifest.read_embedding",
        ),
        parse=parse_any,
        seeds=lambda: (
            MANIFEST,
            MANIFEST.replace(b"face", b"plate").replace(b"scrfd", b"yolov8"),
            SOURCE_FACE,
            manifest_text(b"").encode(),
            manifest_text(b"", align="box").encode(),
            GENERATOR,
            GENERATOR.replace(b'"five"', b"[1, 33, 263]"),
        ),
        errors=(AnonymizerError,),
        tokens=(b"[input]", b"nan", b"inf", b"true", b"[[", b"]]", b'"""', b"="),
        examples=400,
    ),
    Target(
        name="media",
        sender=SUBMITTER,
        parsers=("anonymizer.anonymize.anonymize",),
        parse=take_whole,
        seeds=samples,
        errors=(AnonymizerError,),
        tokens=(*MARKERS, *BOXES),
        examples=500,
    ),
)
