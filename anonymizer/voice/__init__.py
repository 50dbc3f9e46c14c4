"""One voice turned into another that says the same: samples in, samples out.

It knows nothing of files, of who speaks when, or of policies. Only what the phones, the coarse loudness and
the coarse melody say passes; everything else is the mask's (docs/voice_model.md).

rates.py        samples, frames, steps
mask.py         everything that is keyed, from 32 bytes
networks.py     the encoder and the decoder, run by ONNX Runtime
weights/        both networks; evaluation/voice_training makes them
spectra.py      bands of the mel scale
hearing.py      speech as the encoder takes it
bottleneck.py   phones in a few coarse levels
intonation.py   the melody, coarse
loudness.py     the loudness, coarse
shaping.py      envelopes as the mask shapes them
tempo.py        small keyed moves in time
synthesis.py    envelopes to sound
live.py         all of it, along with a stream
converting.py   all of it, over a whole recording
"""

from __future__ import annotations

from anonymizer.voice.converting import convert
from anonymizer.voice.live import LiveVoice
from anonymizer.voice.mask import SEED_BYTES, VoiceMask
from anonymizer.voice.networks import VoiceNetworks, VoiceWeights, open_voice
from anonymizer.voice.rates import SPEECH_RATE

__all__ = [
    "SEED_BYTES",
    "SPEECH_RATE",
    "LiveVoice",
    "VoiceMask",
    "VoiceNetworks",
    "VoiceWeights",
    "convert",
    "open_voice",
]
