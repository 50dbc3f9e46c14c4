"""What the voice costs: times real time on one core, how late it is live, and memory.

`python -m benchmarks.voice_speed [--json FILE]`. The speech is pulses and noise in the rhythm of speech: the
networks and the synthesis do the same work for it. Times are the processor's, on one thread.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.models import load_voice_weights
from anonymizer.voice import SPEECH_RATE, LiveVoice, VoiceMask, VoiceNetworks, convert, open_voice

_SECONDS: Final = 30
_ROUNDS: Final = 3
_LIVE_PIECE: Final = 320
_MASK_SEED: Final = bytes(range(32))


def made_speech(seconds: int) -> NDArray[np.float32]:
    """Returns pulses and noise, loud and soft four times a second."""
    random = np.random.default_rng(1)
    times = np.arange(seconds * SPEECH_RATE) / SPEECH_RATE
    syllables = np.clip(np.sin(2 * np.pi * 4 * times), 0, None)
    pulses = (np.diff(np.floor(120 * times), prepend=0) > 0) * 1.0
    result: NDArray[np.float32] = (
        0.3 * syllables * (pulses + 0.05 * random.standard_normal(len(times)))
    ).astype(np.float32)
    return result


def whole(networks: VoiceNetworks, speech: NDArray[np.float32]) -> float:
    """Returns the best share of real time that a whole recording takes."""
    mask = VoiceMask.of(_MASK_SEED)
    return min(_timed(lambda: convert(networks, mask, speech)) for _ in range(_ROUNDS)) / _SECONDS


def live(networks: VoiceNetworks, speech: NDArray[np.float32]) -> tuple[float, float]:
    """Returns the share of real time in pieces of 20 ms, and the milliseconds of the longest piece."""
    voice = LiveVoice(networks, VoiceMask.of(_MASK_SEED))
    took = [
        _timed(partial(voice.push, speech[begin : begin + _LIVE_PIECE]))
        for begin in range(0, len(speech), _LIVE_PIECE)
    ]
    return sum(took) / _SECONDS, 1000 * max(took)


def main() -> int:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    weights = load_voice_weights()
    networks = open_voice(weights, 1)
    speech = made_speech(_SECONDS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    whole_share = whole(networks, speech)
    live_share, longest = live(networks, speech)
    figures = {
        "whole_times_real_time": round(whole_share, 4),
        "live_times_real_time": round(live_share, 4),
        "live_longest_piece_ms": round(longest, 1),
        "live_delay_ms": round(1000 * LiveVoice.delay_samples / SPEECH_RATE, 1),
        "added_memory_mib": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024,
        "weights_bytes": len(weights.encoder) + len(weights.decoder),
    }
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):28} {value}")
    if chosen.json:
        chosen.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def _timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


if __name__ == "__main__":
    sys.exit(main())
