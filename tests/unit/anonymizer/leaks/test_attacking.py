"""The finished file is what is looked at: the right frames, in the right colours, as they are displayed."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError
from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.leaks.attacking import LEAST_FRAMES, Budget, File, attack_every, attack_some, attack_still
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.eyes import FrameFindings
from anonymizer.leaks.samples import Sample
from anonymizer.leaks.tally import Tally
from anonymizer.quality.readback import Contents
from anonymizer.settings import KeptRegion

FRAMES, TICK = 60, 512

Video = tuple[bytes, Contents]


class Looking:
    """Eyes that remember what they were shown, and find what they are told to."""

    def __init__(self, found: dict[int, FrameFindings] | None = None, seconds: float = 0.0) -> None:
        self.shown: dict[int, Image] = {}
        self._found = found or {}
        self._seconds = seconds

    def look(self, rgb: Image, covered: Sequence[Covered], keep: Sequence[KeptRegion]) -> FrameFindings:
        time.sleep(self._seconds)
        index = covered[0].track
        self.shown[index] = rgb
        return self._found.get(index, FrameFindings(0, 1, 0, None, None, None))


def colour_of(index: int) -> tuple[int, int, int]:
    return 20 + 3 * index, 220 - 3 * index, 60 + 2 * index


@pytest.fixture(scope="module")
def video() -> tuple[bytes, Contents]:
    """A frame of one colour each, every eleventh a key frame, with frames that are coded out of order."""
    stream = io.BytesIO()
    contents = Contents(Fraction(1, 12800))
    with av.open(stream, "w", format="mp4") as container:
        track = container.add_stream("libx264", rate=25)
        track.width, track.height, track.pix_fmt = 64, 48, "yuv420p"
        track.codec_context.options = {"crf": "8", "g": "11", "bf": "2"}
        track.codec_context.time_base = Fraction(1, 12800)
        for index in range(FRAMES):
            pixels = np.full((48, 64, 3), colour_of(index), np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = index * TICK, Fraction(1, 12800)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    with av.open(io.BytesIO(stream.getvalue())) as container:
        for packet in container.demux(video=0):
            if packet.size:
                if packet.is_keyframe:
                    contents.keys.append(len(contents.times))
                contents.times.append(packet.pts)
    return stream.getvalue(), contents


def samples(indexes: Sequence[int] = range(FRAMES), risk: float = 1.0) -> list[Sample]:
    box = Box(0, 0, 9, 9)
    return [
        Sample(index, index * TICK, risk, (Covered("face", index, "solid", box, box, None),))
        for index in indexes
    ]


def attack(video: Video, eyes: Looking, seconds: float | None, kept: Sequence[Sample] | None = None) -> Tally:
    """Attacks what is kept, or every frame where there is no bound."""
    content, contents = video
    file, whole = File(io.BytesIO(content), contents, threads=2), samples() if kept is None else kept
    if seconds is None:
        return attack_every(file, iter(whole), eyes, ())
    return attack_some(file, whole, eyes, (), Budget(seconds, 0.002))


def test_every_frame_is_looked_at_where_a_policy_wants_it_each_as_it_is(video) -> None:
    eyes = Looking()
    tally = attack(video, eyes, None)
    assert tally.frames_attacked == FRAMES
    assert sorted(eyes.shown) == list(range(FRAMES))
    for index, rgb in eyes.shown.items():
        assert rgb.shape == (48, 64, 3)
        assert np.abs(rgb.reshape(-1, 3).mean(axis=0) - colour_of(index)).max() < 6, (
            f"another frame than {index}"
        )


def test_without_any_time_the_riskiest_few_are_looked_at(video) -> None:
    eyes = Looking()
    kept = samples()
    for index in (7, 29, 43, 58):
        kept[index].risk = 1000.0
    assert attack(video, eyes, 0.0, kept).frames_attacked == LEAST_FRAMES
    assert sorted(eyes.shown) == [7, 29, 43, 58]


def test_looks_end_when_the_time_is_spent(video) -> None:
    few, many = (attack(video, Looking(seconds=0.02), s).frames_attacked for s in (0.15, 600.0))
    assert LEAST_FRAMES <= few <= 10
    assert many > 20


def test_findings_are_added_up_frames_by_frames(video) -> None:
    found = {
        3: FrameFindings(2, 3, 1, 4, 2, None),
        4: FrameFindings(1, 3, 0, 4, 1, None),
        5: FrameFindings(0, 0, None, None, None, None),
    }
    tally = attack(video, Looking(found), None, samples([3, 4, 5]))
    assert (tally.frames_attacked, tally.faces_open) == (3, 2), "frames with an open face, not faces"
    assert (tally.faces_attacked, tally.faces_under) == (6, 1)
    assert (tally.identities_compared, tally.identities_matched, tally.texts_open) == (8, 3, None)


def test_a_frame_that_is_not_in_the_file_is_not_looked_at(video) -> None:
    eyes = Looking()
    kept = [*samples([1]), Sample(2, 2 * TICK + 1, 9.0, samples([2])[0].covered)]
    assert attack(video, eyes, None, kept).frames_attacked == 1
    assert list(eyes.shown) == [1]


def test_nothing_to_look_at_is_no_clean_result(video) -> None:
    with pytest.raises(AnonymizerError) as caught:
        attack(video, Looking(), 1.0, [])
    assert caught.value.code == "result_unreadable"


def test_a_file_that_cannot_be_decoded_is_no_clean_result(video) -> None:
    content, contents = video
    for broken in (content[: len(content) // 2], b"", b"x" * 4096):
        for seconds in (1.0, None):
            with pytest.raises(AnonymizerError) as caught:
                attack((broken, contents), Looking(), seconds)
            assert caught.value.code == "result_unreadable"


def test_a_still_is_as_bad_as_its_worst_view() -> None:
    black, white = (np.full((9, 9, 3), value, np.uint8) for value in (0, 255))

    class SeesOnWhite:
        def look(self, rgb, covered, keep):
            return FrameFindings(int(rgb.max() > 0), 1, 0, 1, 0, 0)

    assert attack_still([black, white], (), SeesOnWhite(), ()).faces_open == 1
    assert attack_still([black], (), SeesOnWhite(), ()).faces_open == 0
