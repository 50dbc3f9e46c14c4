"""Files of sound for tests: made speech in any container, rate and number of channels, and talking clips."""

from __future__ import annotations

import io
import wave
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from tests.made_speech import spoken
from tests.media_factory import face_clip
from tests.media_probe import ffmpeg

Samples = npt.NDArray[np.float32]

SPEECH_RATE = 16_000
WORDS = "the meeting is at the old harbour at nine. bring the papers and tell nobody about it."
OTHER_WORDS = "I have heard that before. what do you want me to do with all these papers?"


def talk() -> Samples:
    """One voice: about five seconds at 16 kHz."""
    return spoken("m3", 35, WORDS)


def dialogue() -> tuple[Samples, list[tuple[float, float]]]:
    """Two voices by turns, and when the second one speaks, in seconds."""
    first, second = talk(), spoken("f4", 85, OTHER_WORDS)
    pause = np.zeros(SPEECH_RATE // 2, np.float32)
    parts = [first, pause, second, pause, first, pause, second]
    ends = np.cumsum([len(part) for part in parts]) / SPEECH_RATE
    return np.concatenate(parts), [(float(ends[1]), float(ends[2])), (float(ends[5]), float(ends[6]))]


def wav(path: Path, samples: Samples, rate: int = SPEECH_RATE) -> Path:
    """Writes (n,) or (channels, n) samples from -1 to 1 as 16-bit PCM."""
    planes = np.atleast_2d(samples)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(planes.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(planes.T, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def as_file(path: Path, samples: Samples, *options: str) -> Path:
    """Writes speech at 16 kHz in the format of the path's ending, by FFmpeg's own program."""
    original = wav(path.with_name(f"{path.name}.original.wav"), samples)
    ffmpeg("-i", str(original), *options, str(path))
    return path


def talking_clip(path: Path, samples: Samples, fps: int = 25, *options: str) -> Path:
    """A moving face and speech beside it, of the same length."""
    seconds = len(samples) / SPEECH_RATE
    silent = face_clip(path.with_name(f"silent-{path.name}"), seconds, fps, (320, 180), audio=False)
    sound = wav(path.with_name(f"{path.name}.wav"), samples)
    ffmpeg("-i", str(silent), "-i", str(sound), "-c:v", "copy", "-ar", "48000", *options, str(path))
    return path


def decoded(file: Path | bytes, rate: int | None = None) -> tuple[Samples, int]:
    """Decodes the sound of a file: (channels, n) from the time zero on, and its rate."""
    source = io.BytesIO(file) if isinstance(file, bytes) else str(file)
    with av.open(source) as container:
        stream = container.streams.audio[0]
        to_planes = av.AudioResampler(format="fltp", rate=rate)
        planes: list[Samples] = []
        begins = None
        for frame in container.decode(stream):
            begins = float(frame.time or 0) if begins is None else begins
            planes += [np.asarray(part.to_ndarray(), np.float32) for part in to_planes.resample(frame)]
        planes += [np.asarray(part.to_ndarray(), np.float32) for part in to_planes.resample(None)]
        samples = np.concatenate(planes, axis=1)
        rate = rate or stream.rate
    late = round((begins or 0) * rate)
    return (np.pad(samples, ((0, 0), (late, 0))) if late >= 0 else samples[:, -late:]), rate
