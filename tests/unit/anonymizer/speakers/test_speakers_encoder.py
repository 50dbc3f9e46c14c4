"""The speaker encoder: its front end against librosa's figures, its weights against torch's own reading."""

from __future__ import annotations

import io

import numpy as np
import pytest

from anonymizer.errors import AnonymizerError
from anonymizer.speakers import SpeakerFiles, SpeakerNetworks, open_speakers
from anonymizer.speakers.mel import RATE, mel_frames
from anonymizer.speakers.weights import encoder_graph
from tests.made_speech import made_speakers, spoken

# librosa 0.10.2: feature.melspectrogram(y, sr=16000, n_fft=400, hop_length=160, n_mels=40) of `sweep`: the
# loudest band of a frame, and how loud it is; and the sum of them all.
LIBROSA = {
    5: (5, 12.737119),
    25: (20, 4.9135957),
    45: (28, 4.8331428),
    65: (33, 2.4791422),
    85: (36, 2.6150353),
}
LIBROSA_SUM, LIBROSA_FIRST, LIBROSA_LAST = 739.7457, 3.6473603, 0.25249374


def sweep() -> np.ndarray:
    """A second from 100 Hz to 7 kHz."""
    phase = 2 * np.pi * np.cumsum(np.linspace(100, 7000, RATE)) / RATE
    return (0.3 * np.sin(phase)).astype(np.float32)


def test_the_mel_bands_are_those_that_the_weights_were_trained_on() -> None:
    mel = mel_frames(sweep())
    assert mel.shape == (101, 40)
    for frame, (band, power) in LIBROSA.items():
        assert int(mel[frame].argmax()) == band
        assert mel[frame, band] == pytest.approx(power, rel=1e-5)
    assert mel.sum() == pytest.approx(LIBROSA_SUM, rel=1e-5)
    assert (mel[0, 0], mel[100, 39]) == pytest.approx((LIBROSA_FIRST, LIBROSA_LAST), rel=1e-5)


def test_the_graph_computes_what_torch_does_with_the_same_file(
    pretrained: bytes, networks: SpeakerNetworks
) -> None:
    import torch

    state = torch.load(io.BytesIO(pretrained), map_location="cpu", weights_only=True)["model_state"]
    lstm = torch.nn.LSTM(40, 256, 3, batch_first=True)
    lstm.load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("lstm.")})
    mel = np.random.default_rng(1).random((3, 160, 40), np.float32)
    with torch.no_grad():
        last = lstm(torch.from_numpy(mel))[1][0][-1]
        raw = torch.relu(last @ state["linear.weight"].T + state["linear.bias"]).numpy()
    expected = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.abs(networks.encoder.embed_mel(mel) - expected).max() < 1e-5


def test_one_voice_is_like_itself_and_unlike_others(networks: SpeakerNetworks) -> None:
    voices = {
        name: np.stack([networks.encoder.embed(networks.voiced(speech)) for speech in speeches])
        for name, speeches in made_speakers(4, 2).items()
    }
    same = [float(one @ other) for one, other in voices.values()]
    mixed = [
        float(one @ other)
        for name in voices
        for another in voices
        if name < another
        for one in voices[name]
        for other in voices[another]
    ]
    assert len(same) == 4
    assert len(mixed) == 24
    assert min(same) > 0.8
    assert np.mean(mixed) < np.mean(same) - 0.15


def test_how_loud_speech_is_does_not_matter(networks: SpeakerNetworks) -> None:
    speech = spoken("m1", 30, "the north wind and the sun were arguing")
    quiet, quieter = (networks.encoder.embed(speech * np.float32(gain)) for gain in (0.02, 0.0005))
    assert float(quiet @ quieter) > 0.999


@pytest.mark.parametrize("samples", [1, 159, 160, 25_599, 25_600, 40_000, 90_000])
def test_every_length_has_a_voice_of_length_one(networks: SpeakerNetworks, samples: int) -> None:
    voice = networks.encoder.embed(np.random.default_rng(2).normal(0, 0.1, samples).astype(np.float32))
    assert voice.shape == (256,)
    assert float(np.linalg.norm(voice)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    "speech",
    [
        np.zeros(0, np.float32),
        np.zeros((2, 100), np.float32),
        np.array([0.1, np.nan], np.float32),
        np.array([0.1, np.inf], np.float32),
    ],
    ids=["nothing", "two channels", "no number", "infinity"],
)
def test_what_is_no_sound_is_refused(networks: SpeakerNetworks, speech: np.ndarray) -> None:
    with pytest.raises(AnonymizerError) as refused:
        networks.encoder.embed(speech)
    assert refused.value.code == "detector_failed"


def test_weights_of_another_length_are_refused(pretrained: bytes) -> None:
    with pytest.raises(AnonymizerError) as refused:
        encoder_graph(pretrained[:-1])
    assert refused.value.code == "model_digest_mismatch"


def test_a_graph_that_is_none_ends_the_job(files: SpeakerFiles) -> None:
    with pytest.raises(AnonymizerError) as refused:
        open_speakers(SpeakerFiles(files.encoder[:-100], files.activity), 1)
    assert refused.value.code == "detector_failed"


def test_the_networks_do_not_show_their_bytes(files: SpeakerFiles) -> None:
    assert repr(files) == "SpeakerFiles()"
