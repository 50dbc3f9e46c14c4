"""Still pictures: JPEG, PNG and WebP, each answered in its own format, with pixels and nothing else.

- EXIF orientation is applied to the pixels; all metadata is dropped, colour profiles too, but for the month
  of capture where a policy keeps it.
- 16 bits per channel become 8.
- Pixels that are wholly transparent become black: what lies under them is content that nobody sees.
- With transparency, things are sought in the colours, in the picture as it shows on white, and in the alpha
  channel; a cover is opaque.
- Animated PNG and WebP are refused: only one of their frames would be left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any, BinaryIO, Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box, Boxes, suppress
from anonymizer.camera.suppressing import Suppressor
from anonymizer.dating import dated
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import Finder
from anonymizer.effects import solid
from anonymizer.effects.casting import Cast
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Plane, apply
from anonymizer.errors import AnonymizerError
from anonymizer.intake.captured import month_of_still
from anonymizer.intake.exif import orientation_of
from anonymizer.intake.jpeg import decode_jpeg
from anonymizer.intake.sniff import Format
from anonymizer.intake.still_size import still_header
from anonymizer.leaks.attack import Attack, Finished
from anonymizer.models import Models
from anonymizer.native.telling import Committer, tell_still
from anonymizer.report import Report, Stopwatch
from anonymizer.review.deciding import Seen
from anonymizer.review.session import Session
from anonymizer.settings import Kind, Limits, Settings

Pixels = npt.NDArray[np.uint8]

MEDIA_TYPES: Final = {Format.JPEG: "image/jpeg", Format.PNG: "image/png", Format.WEBP: "image/webp"}
QUALITY: Final = {"original": 97, "quality": 95, "balanced": 92, "fast": 90}
LOSSLESS_WEBP: Final = 101
NEUTRAL: Final = 128
OPAQUE: Final = 255


def transform_still(
    source: BinaryIO,
    kind: Format,
    sink: BinaryIO,
    settings: Settings,
    limits: Limits,
    session: Session,
    cast: Cast,
    models: Models,
    committer: Committer | None = None,
) -> Report:
    """Anonymizes one still, and attacks the result.

    Args:
        source: the original.
        kind: its format.
        sink: takes the result.
        settings: what to do.
        limits: what it may cost.
        session: what finds.
        cast: what covers.
        models: loaded and checked.
        committer: is told the picture.

    Raises:
        AnonymizerError: with one of the media codes, or detector_failed.
    """
    began = perf_counter()
    watch = Stopwatch()
    with watch.stage("attack"):
        attack = Attack(session, settings, models)
    with watch.stage("decode"):
        content = source.read(limits.max_still_bytes + 1)
        if len(content) > limits.max_still_bytes:
            raise AnonymizerError("media_too_large")
        header = still_header(content, kind, limits)
        image = decode_still(content, kind)
    if committer is not None:
        with watch.stage("commit"):
            tell_still(image, committer)
    with watch.stage("detect"):
        found = session.found_in_still(lambda finder: _found(image, finder))
    with watch.stage("cover"):
        covered = _cover(image, found, session, cast, attack)
        if settings.sensor_noise == "suppress":
            Suppressor().apply(planes_of(image), shot=0, time=0.0)
        session.film()
        begun = [tuple(map(len, boxes.values())) for boxes in found]
        session.finish(image.shape[1], image.shape[0], 1, begun)
    with watch.stage("encode"):
        encoded = _encode(image, kind, settings, lossless=header.lossless)
        month = month_of_still(content, kind) if settings.captured == "month" else None
        if month is not None:
            height, width, channels = image.shape
            encoded = dated(encoded, kind, month, width, height, has_alpha=channels == 4)
        sink.write(encoded)
    with watch.stage("attack"):
        finished = Finished(sink, MEDIA_TYPES[kind], month, perf_counter() - began)
        leaks = attack.on_still(finished, _views(decode_still(encoded, kind)))
    height, width = image.shape[:2]
    return Report(
        media_type=MEDIA_TYPES[kind],
        width=width,
        height=height,
        frames=1,
        frames_with={kind: int(count > 0) for kind, count in covered.items()},
        tracks_of=covered,
        audio="none",
        duration_seconds=0.0,
        device=models.device,
        stage_seconds=dict(watch.seconds),
        recognized=session.recognized,
        leaks=leaks,
    )


def decode_still(content: bytes, kind: Format) -> Pixels:
    """Returns (H, W, 1, 3 or 4) uint8, BGR where there are colours, upright.

    Raises:
        AnonymizerError: media_corrupt or media_unsupported.
    """
    decoded: npt.NDArray[Any] | None = decode_jpeg(content) if kind is Format.JPEG else None
    if decoded is None:
        try:
            decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            decoded = None
    if decoded is None or decoded.size == 0:
        raise AnonymizerError("media_corrupt")
    if decoded.dtype == np.uint16:
        decoded = (decoded // 257).astype(np.uint8)
    if decoded.dtype != np.uint8:
        raise AnonymizerError("media_unsupported")
    image = decoded[:, :, None] if decoded.ndim == 2 else decoded
    transposed, flip_rows, flip_columns = orientation_of(content)
    if transposed:
        image = image.transpose(1, 0, 2)
    upright: Pixels = np.ascontiguousarray(image[:: -1 if flip_rows else 1, :: -1 if flip_columns else 1])
    if upright.shape[2] == 4:
        upright[upright[:, :, 3] == 0] = 0
    return upright


def _found(image: Pixels, finder: Finder) -> Mapping[Kind, Boxes]:
    height, width = image.shape[:2]
    looks = []
    for view in _views(image):

        def copy_at(across: int, down: int, view: Image = view) -> Image:
            return np.asarray(cv2.resize(view, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

        looks.append(finder.look(width, height, copy_at))
    return {
        sought.kind: suppress(np.concatenate([look[sought.kind] for look in looks]))
        for sought in finder.sought
    }


def _views(image: Pixels) -> list[Image]:
    """Returns every way in which the picture may show something, as RGB."""
    if image.shape[2] == 1:
        return [image.repeat(3, axis=2)]
    colours = np.ascontiguousarray(image[:, :, 2::-1])
    if image.shape[2] == 3:
        return [colours]
    alpha = image[:, :, 3:]
    share = alpha.astype(np.uint16)
    on_white = ((colours * share + 255 * (255 - share)) // 255).astype(np.uint8)
    return [colours, on_white, alpha.repeat(3, axis=2)]


def _cover(
    image: Pixels, found: Sequence[Mapping[Kind, Boxes]], session: Session, cast: Cast, attack: Attack
) -> Mapping[Kind, int]:
    height, width = image.shape[:2]
    seen = [
        Seen(
            sought.kind,
            session.numbers.track(search, sought.kind, number),
            Box(*(float(v) for v in row[:4])),
            sought.settings,
        )
        for search, finder in enumerate(session.finders)
        for sought in finder.sought
        for number, row in enumerate(found[search][sought.kind])
    ]
    scene = Scene(planes_of(image), width, height, time=0.0, shot=0)
    decided = session.decide(seen, scene)
    attack.decided(scene, decided)
    attack.see(scene, decided.covers)
    attack.left(scene.time, 0)
    cast.cover(scene, decided.covers, decided.blanked)
    if image.shape[2] == 4:
        for region in (*(cover.region for cover in decided.covers), *decided.blanked):
            apply(solid.cover, region, [Plane(image[:, :, 3], 1, OPAQUE)])
    session.painted(scene, decided)
    covered = {sought.kind: 0 for finder in session.finders for sought in finder.sought}
    for cover in decided.covers:
        covered[cover.kind] += 1
    return covered


def planes_of(image: Pixels) -> list[Plane]:
    """Returns writable views of a still's colours, as effects take them."""
    return [Plane(image[:, :, i], 1, NEUTRAL) for i in range(min(image.shape[2], 3))]


def _encode(image: Pixels, kind: Format, settings: Settings, *, lossless: bool) -> bytes:
    quality = QUALITY[settings.mode]
    options: list[int] = []
    if kind is Format.JPEG:
        options = [int(cv2.IMWRITE_JPEG_QUALITY), quality]
    elif kind is Format.WEBP:
        options = [int(cv2.IMWRITE_WEBP_QUALITY), LOSSLESS_WEBP if lossless else quality]
    done, encoded = cv2.imencode(kind.value, image, options)
    if not done:
        raise AnonymizerError("media_unsupported")
    return bytes(encoded)
