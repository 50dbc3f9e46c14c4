"""Pictures that stand for minutes: times are kept to the tick, whatever MP4's 31 bits say."""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError, Limits
from anonymizer.video import writing

LIMITS = Limits(max_duration_seconds=1e6)


def slides(seconds: int, count: int) -> bytes:
    """A video whose pictures are so far apart."""
    made = io.BytesIO()
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        stream.codec_context.max_b_frames = 0
        for number in range(count):
            grey = np.full((96, 160, 3), 20 * number % 255, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
            frame.pts, frame.time_base = 1000 * seconds * number, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()


@pytest.mark.parametrize(("seconds", "count"), [(30, 8), (600, 8), (1700, 5)])
def test_slides_keep_their_times(process, tmp_path: Path, seconds: int, count: int) -> None:
    report = process(slides(seconds, count), tmp_path / "out.mp4", limits=LIMITS)
    assert report.frames == count
    with av.open(str(tmp_path / "out.mp4")) as result:
        times = [frame.pts * frame.time_base for frame in result.decode(video=0)]
    assert times == [seconds * number for number in range(count)]


def test_what_does_not_fit_is_refused_by_name(
    process, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "SLIDES", Fraction(0))
    with pytest.raises(AnonymizerError) as refused:
        process(slides(1700, 5), tmp_path / "out.mp4", limits=LIMITS)
    assert refused.value.code == "media_unsupported"
