"""Files and folders as speech: mono, 16,000 Hz, whatever they were.

A folder holds one folder for each speaker. The files in it are told apart by their path without its ending,
so that `ANNA/interview.wav` and the `ANNA/interview.mp4` that was made of it are a pair. Files that hold no
sound are left out and told of; they do not end the evaluation of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from evaluation.errors import EvaluationError
from evaluation.voice.listening import RATE, Speech

# Beyond this much of one file, an attacker learns little more of a voice.
MAX_SECONDS: Final = 600
# Under half a second there is no voice to hear.
MIN_SAMPLES: Final = RATE // 2
MAX_FILES: Final = 20_000
SUFFIXES: Final = frozenset(
    {
        ".wav",
        ".flac",
        ".opus",
        ".ogg",
        ".mp3",
        ".m4a",
        ".aac",
        ".mp4",
        ".m4v",
        ".mov",
        ".mkv",
        ".webm",
        ".avi",
    }
)

Folder = Mapping[str, Mapping[str, Path]]
"""Recordings by speaker, then by name: the path under the speaker's folder, without its ending."""


@dataclass(frozen=True)
class Skipped:
    """A file that was left out.

    Attributes:
        path: where it lies.
        code: why, one of the codes of `evaluation.errors`.
    """

    path: Path
    code: str


def read_speech(path: Path) -> Speech:
    """Returns the first ten minutes of a file's first sound track, all channels mixed.

    Raises:
        EvaluationError: sound_unreadable, sound_too_short.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise EvaluationError("sound_unreadable")
            speech = _decoded(container.decode(container.streams.audio[0]))
    # PyAV reports what it cannot use at all as ValueError, and some damage as IndexError or EOFError.
    except (av.FFmpegError, OSError, ValueError, IndexError):
        raise EvaluationError("sound_unreadable") from None
    if len(speech) < MIN_SAMPLES:
        raise EvaluationError("sound_too_short")
    if not np.isfinite(speech).all():
        raise EvaluationError("sound_unreadable")
    return speech


def _decoded(frames: Iterator[AudioFrame]) -> Speech:
    resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
    parts: list[Speech] = []
    left = MAX_SECONDS * RATE
    for frame in frames:
        # Containers disagree with themselves about times; the order of the samples is all that counts here.
        frame.pts = None
        left -= _take(resampler.resample(frame), parts, left)
        if left <= 0:
            break
    else:
        _take(resampler.resample(None), parts, left)
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _take(frames: Iterable[AudioFrame], parts: list[Speech], most: int) -> int:
    """Adds what frames hold, at most so many samples, and tells how many."""
    before = most
    for frame in frames:
        parts.append(np.asarray(frame.to_ndarray(), np.float32).reshape(-1)[:most])
        most -= len(parts[-1])
    return before - most


def list_folder(folder: Path) -> Folder:
    """Returns what lies in a folder of speakers.

    Raises:
        EvaluationError: folder_without_speakers, folder_too_large.
    """
    found: dict[str, dict[str, Path]] = {}
    count = 0
    for path in _sound_files(folder.rglob("*")):
        inner = path.relative_to(folder)
        if len(inner.parts) < 2:
            continue
        count += 1
        if count > MAX_FILES:
            raise EvaluationError("folder_too_large")
        name = "/".join(inner.with_suffix("").parts[1:])
        found.setdefault(inner.parts[0], {})[name] = path
    if not found:
        raise EvaluationError("folder_without_speakers")
    return {
        speaker: {name: found[speaker][name] for name in sorted(found[speaker])} for speaker in sorted(found)
    }


def _sound_files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        hidden = path.name.startswith(".")
        if not hidden and path.suffix.lower() in SUFFIXES and path.is_file():
            yield path
