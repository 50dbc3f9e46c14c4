"""Reads the finished file: every packet of it, and a sample of its pictures.

Packets tell what is in the file, when it is shown and how large it is, for next to nothing. Decoding all of
a result would cost up to a sixth of the job, so only some pictures are decoded: those whose tiles were kept,
the ones nearest behind a key frame first, and what must be decoded on the way to them, up to an eighth of
the frames, or MOST_OF_A_SHORT_ONE of a short video.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import BinaryIO, Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from anonymizer.errors import AnonymizerError
from anonymizer.quality.ssim import ssim
from anonymizer.quality.tiles import KeptTile, Luma
from anonymizer.quality.witness import BRIGHT, MOVED, Witness
from anonymizer.track.stillness import Small, small_copy
from anonymizer.video.picture import plane_array

Times = npt.NDArray[np.int64]

SHARE_DECODED: Final = 8
MOST_OF_A_SHORT_ONE: Final = 48
# Of 255, brightest cell of a picture: black is 16, and nobody sees what is darker than this.
MOST_BLACK: Final = 24.0
# Of 255, in any cell: a coder that repeats a picture changes nothing at all.
MOST_STILL: Final = 0.5


@dataclass
class Contents:
    """What the packets of a file tell.

    Attributes:
        times: when each picture is shown, in ticks, in the order of the file.
        keys: of those, the places of key frames.
        tick: seconds.
        picture_bytes: of all pictures.
        begins, ends: seconds, of the pictures.
        sound_begins, sound_ends: seconds; None without sound.
    """

    tick: Fraction
    times: array[int] = field(default_factory=lambda: array("q"))
    keys: array[int] = field(default_factory=lambda: array("q"))
    picture_bytes: int = 0
    begins: Fraction = Fraction(0)
    ends: Fraction = Fraction(0)
    sound_begins: Fraction | None = None
    sound_ends: Fraction | None = None


@dataclass
class Looks:
    """What the decoded pictures tell.

    Attributes:
        frames: how many were decoded.
        black, frozen: of those (figures.py).
        similarities: mean of the tiles of each frame that was compared.
    """

    frames: int = 0
    black: int = 0
    frozen: int = 0
    similarities: list[float] = field(default_factory=list)


def read_back(result: BinaryIO, witness: Witness, threads: int) -> tuple[Contents, Looks]:
    """Reads a finished MP4.

    Args:
        result: readable and seekable.
        witness: of what it was made from.
        threads: the decoder's.

    Raises:
        AnonymizerError: result_unreadable.
        Exception: whatever the stream itself raises.
    """
    result.seek(0)
    try:
        with av.open(result, "r", format="mp4") as container:
            contents = _contents(container)
        result.seek(0)
        with av.open(result, "r", format="mp4") as container:
            container.streams.video[0].codec_context.thread_count = threads
            container.streams.video[0].thread_type = "AUTO"
            looks = _look(container, contents, witness)
    except (av.FFmpegError, IndexError):
        raise AnonymizerError("result_unreadable") from None
    return contents, looks


def _contents(container: InputContainer) -> Contents:
    picture = container.streams.video[0]
    found = Contents(picture.time_base or Fraction(1, 1))
    ends = 0
    for packet in container.demux():
        if packet.pts is None or packet.size == 0:
            continue
        if packet.stream is picture:
            if packet.is_keyframe:
                found.keys.append(len(found.times))
            found.times.append(packet.pts)
            found.picture_bytes += packet.size
            ends = max(ends, packet.pts + (packet.duration or 0))
        elif isinstance(packet.stream, AudioStream):
            _hear(found, packet)
    if found.times:
        found.begins, found.ends = min(found.times) * found.tick, ends * found.tick
    return found


def _hear(found: Contents, packet: Packet[Stream]) -> None:
    tick = packet.time_base or Fraction(0)
    begins = (packet.pts or 0) * tick
    if found.sound_begins is None:
        found.sound_begins = begins
    found.sound_ends = begins + (packet.duration or 0) * tick


def _look(container: InputContainer, contents: Contents, witness: Witness) -> Looks:
    looks = Looks()
    # An array, since a table of all frames would take a hundred bytes for each.
    times = np.sort(np.asarray(contents.times, np.int64))
    before: tuple[int, Small] | None = None
    for frame, picture in decoded(container, times, _wanted(contents, times, witness)):
        luma = plane_array(picture, 0)
        looks.frames += 1
        small = small_copy(luma)
        flags = witness.flags[frame] if frame < len(witness.flags) else 0
        if flags & BRIGHT and float(small.max()) <= MOST_BLACK:
            looks.black += 1
        if before is not None and before[0] == frame - 1 and flags & MOVED:
            looks.frozen += float(np.abs(small - before[1]).max()) <= MOST_STILL
        before = frame, small
        tiles = witness.tiles.of_frame.get(frame, ())
        if tiles:
            looks.similarities.append(float(np.mean([_similarity(tile, luma) for tile in tiles])))
    return looks


def _wanted(contents: Contents, times: Times, witness: Witness) -> list[tuple[int, int]]:
    """Returns what to decode: for each key frame in turn that matters, its time and the last frame wanted."""
    begins = sorted(contents.times[place] for place in contents.keys)
    firsts = np.searchsorted(times, begins).tolist()
    budget = max(MOST_OF_A_SHORT_ONE, len(times) // SHARE_DECODED)
    costs = []
    for frame in witness.tiles.of_frame:
        group = bisect_right(firsts, frame) - 1
        if group >= 0:
            costs.append((frame - firsts[group], group, frame))
    last: dict[int, int] = {}
    for _, group, frame in sorted(costs):
        further = frame - last.get(group, firsts[group] - 1)
        if further <= budget:
            budget -= further
            last[group] = frame
    if not last and begins:
        # Every video is looked at, also one that is covered all over.
        last[0] = firsts[0] + budget - 1
    return [(begins[group], last[group]) for group in sorted(last)]


def decoded(
    container: InputContainer, times: Times, wanted: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, VideoFrame]]:
    """Decodes groups of pictures, each from its key frame on.

    Args:
        container: of the finished file.
        times: of all its pictures in ticks, sorted.
        wanted: for each group in turn the time of its key frame, and the number of the last frame to decode.

    Yields:
        The number of each frame, and its picture.

    Raises:
        AnonymizerError: result_unreadable.
        FFmpegError: likewise.
    """
    stream: VideoStream = container.streams.video[0]
    for begins, last in wanted:
        container.seek(begins, stream=stream)
        for picture in container.decode(stream):
            frame = int(np.searchsorted(times, picture.pts or 0))
            if frame >= len(times) or times[frame] != picture.pts:
                raise AnonymizerError("result_unreadable")
            yield frame, picture
            if frame >= last:
                break


def _similarity(tile: KeptTile, luma: Luma) -> float:
    rows, columns = tile.pixels.shape
    return ssim(tile.pixels, luma[tile.top : tile.top + rows, tile.left : tile.left + columns])
