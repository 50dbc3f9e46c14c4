"""The floor: decode and encode, nothing else, with the encoder settings of one of our modes.

`python -m benchmarks.transcode IN OUT --mode quality`
"""

from __future__ import annotations

import argparse
from fractions import Fraction

import av

from anonymizer.modes import MODES


def transcode(source: str, target: str, mode: str) -> int:
    """Re-encodes the pictures of a file; returns the number of frames."""
    settings = MODES[mode]
    frames = 0
    with av.open(source) as reader, av.open(target, "w", format="mp4") as writer:
        pictures = reader.streams.video[0]
        pictures.thread_type = "AUTO"
        stream = writer.add_stream("libx264", rate=pictures.average_rate or Fraction(25))
        stream.width, stream.height = pictures.width // 2 * 2, pictures.height // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(settings.crf), "preset": settings.preset}
        for frame in reader.decode(pictures):
            frames += 1
            for packet in stream.encode(frame):
                writer.mux(packet)
        for packet in stream.encode(None):
            writer.mux(packet)
    return frames


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--mode", default="quality", choices=sorted(MODES))
    arguments = parser.parse_args()
    transcode(arguments.source, arguments.target, arguments.mode)


if __name__ == "__main__":
    main()
