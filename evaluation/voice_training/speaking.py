"""Synthetic speech and its phones: by the programs flite and, through its library, espeak-ng.

Only these voices are ever a donor: no real speaker's recording is the mask of somebody else.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
import wave
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from anonymizer.voice.rates import SPEECH_RATE
from evaluation.voice_training.errors import VoiceTrainingError
from evaluation.voice_training.phones import Sounding, from_espeak, number_of
from evaluation.voice_training.recordings import Spoken

FLITE_VOICES: Final = ("awb", "kal16", "rms", "slt")
# Variants of American English that differ in their formants and speak with a full voice.
ESPEAK_VOICES: Final = (
    *(f"m{number}" for number in (1, 2, 3, 4, 5, 7, 8)),
    *(f"f{number}" for number in range(1, 6)),
    *(
        "adam",
        "anika",
        "Annie",
        "benjamin",
        "Denis",
        "Diogo",
        "Gene",
        "Henrique",
        "linda",
        "steph",
        "rob",
        "Tweaky",
    ),
)
_SECONDS_TO_SPEAK: Final = 60
# From espeak-ng's speak_lib.h.
_RETRIEVAL: Final = 1
_PHONEME_EVENTS: Final = 1
_CHARS_UTF8: Final = 1
_EVENT_PHONEME: Final = 7
_EVENT_END: Final = 0


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


def by_flite(voice: str, words: str, stretch: float = 1.0) -> Spoken:
    """Speaks words with one of FLITE_VOICES.

    Args:
        voice: its name.
        words: a sentence without punctuation.
        stretch: how much longer each phone lasts.

    Raises:
        VoiceTrainingError: program_missing or program_failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "spoken.wav")
        command = ["flite", "-voice", voice, "-psdur", "--setf", f"duration_stretch={stretch:.3f}"]
        try:
            done = subprocess.run(
                [*command, "-t", words, "-o", str(path)],
                capture_output=True,
                timeout=_SECONDS_TO_SPEAK,
                check=True,
            )
        except FileNotFoundError as error:
            raise VoiceTrainingError("program_missing", "It is flite.") from error
        except subprocess.SubprocessError as error:
            raise VoiceTrainingError("program_failed", "It is flite.") from error
        speech = _read_wave(path)
    soundings, begin = [], 0.0
    for said in done.stdout.decode().split():
        name, end = said.split(":")
        soundings.append(Sounding(number_of(name), begin, float(end)))
        begin = float(end)
    return Spoken(speech, soundings, words)


def by_espeak(voice: str, words: str, words_a_minute: int = 165, pitch: int = 50) -> Spoken:
    """Speaks words with one of ESPEAK_VOICES.

    Args:
        voice: the variant of American English.
        words: a sentence without punctuation.
        words_a_minute: how fast.
        pitch: 0 to 99.

    Raises:
        VoiceTrainingError: program_failed.
    """
    library, rate = _espeak()
    pieces: list[NDArray[np.int16]] = []
    events: list[tuple[float, str]] = []
    end = 0.0

    def take(samples: ctypes._Pointer[ctypes.c_short], count: int, event: ctypes._Pointer[_Event]) -> int:
        nonlocal end
        if count > 0 and samples:
            pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        place = 0
        while event[place].type != _EVENT_END:
            if event[place].type == _EVENT_PHONEME:
                events.append((event[place].audio_position / 1000, event[place].id.string.decode()))
            place += 1
        return 0

    callback = _Callback(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(1, words_a_minute, 0)
    library.espeak_SetParameter(3, pitch, 0)
    text = words.encode()
    if library.espeak_SetVoiceByName(f"en-us+{voice}".encode()) or library.espeak_Synth(
        text, len(text) + 1, 0, 0, 0, _CHARS_UTF8, None, None
    ):
        raise VoiceTrainingError("program_failed", "It is espeak-ng.")
    library.espeak_Synchronize()
    if not pieces:
        raise VoiceTrainingError("program_failed", "It is espeak-ng.")
    spoken = np.concatenate(pieces).astype(np.float32) / np.float32(32768)
    ends = [begin for begin, _ in events[1:]] + [len(spoken) / rate]
    soundings = [
        each
        for (begin, mnemonic), end in zip(events, ends, strict=True)
        for each in from_espeak(mnemonic, begin, end)
    ]
    return Spoken(resample_poly(spoken, SPEECH_RATE, rate).astype(np.float32), soundings, words)


@lru_cache(maxsize=1)
def _espeak() -> tuple[ctypes.CDLL, int]:
    """Opens the library that espeakng_loader ships. Returns it and its rate in samples a second."""
    try:
        import espeakng_loader
    except ImportError as error:
        raise VoiceTrainingError("program_missing", "It is espeakng_loader.") from error
    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    rate = library.espeak_Initialize(
        _RETRIEVAL, 0, str(espeakng_loader.get_data_path()).encode(), _PHONEME_EVENTS
    )
    if rate <= 0:
        raise VoiceTrainingError("program_failed", "It is espeak-ng.")
    return library, int(rate)


def _read_wave(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(
            32768
        )
        rate = file.getframerate()
    if rate == SPEECH_RATE:
        return samples
    resampled: NDArray[np.float32] = resample_poly(samples, SPEECH_RATE, rate).astype(np.float32)
    return resampled
