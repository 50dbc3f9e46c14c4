"""Made speech, rooms and mains, and the attacker who finds a recording's time by its hum."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Course = npt.NDArray[np.float64]


def db(power: float) -> float:
    return float(10 * np.log10(power + 1e-20))


def level_dbfs(sound: Samples) -> float:
    return db(float(np.mean(np.square(sound, dtype=np.float64))))


def speechlike(rate: int, seconds: int, seed: int) -> Samples:
    """Syllables with a gliding pitch, three formants, hiss now and then, and pauses between the words."""
    random = np.random.default_rng(seed)
    out = np.zeros(rate * seconds)
    at = int(0.1 * rate)
    while at < len(out) - rate // 2:
        length = int(random.uniform(0.1, 0.3) * rate)
        times = np.arange(length) / rate
        if random.random() < 0.25:
            syllable = 0.15 * np.diff(random.standard_normal(length + 1))
        else:
            pitch = random.uniform(100, 220) * (1 + random.uniform(-0.6, 0.6) * times)
            phase = 2 * np.pi * np.cumsum(pitch) / rate
            formants = random.uniform([300, 900, 2200], [800, 2200, 3200])
            syllable = np.zeros(length)
            for order in range(1, 30):
                hertz = order * float(pitch.mean())
                if hertz < 0.45 * rate:
                    syllable += np.exp(-(((hertz - formants) / 200) ** 2)).sum() * np.sin(order * phase)
        out[at : at + length] += syllable * np.hanning(length)
        at += length + int(random.choice([0.02, 0.1, 0.4], p=[0.6, 0.25, 0.15]) * rate)
    return (0.25 * out / np.abs(out).max()).astype(np.float32)


def echoing(sound: Samples, rate: int, seconds: float, seed: int) -> Samples:
    """In a room whose echoes fall by 60 dB in `seconds` (Polack's model: decaying noise)."""
    taps = int(1.2 * seconds * rate)
    room = np.random.default_rng(seed).standard_normal(taps) * 10 ** (-3 * np.arange(taps) / rate / seconds)
    room[0] = float(np.sqrt(np.sum(np.square(room[1:]))))
    points = 1 << (len(sound) + taps).bit_length()
    there = np.fft.irfft(np.fft.rfft(sound, points) * np.fft.rfft(room, points), points)[: len(sound)]
    return (0.25 * there / np.abs(there).max()).astype(np.float32)


def wandering_grid(seconds: int, mains: float, seed: int) -> Course:
    """The frequency of a grid, second by second: it wanders within 0.15 Hz."""
    steps = np.cumsum(np.random.default_rng(seed).standard_normal(seconds + 40))
    smooth = np.convolve(steps, np.hanning(21) / np.hanning(21).sum(), "valid")[:seconds]
    smooth = smooth - smooth.mean()
    return np.asarray(mains + 0.15 * smooth / np.abs(smooth).max())


def with_hum(sound: Samples, rate: int, course: Course, level_db: float) -> Samples:
    """Lays a hum of ten harmonics under a sound, at a level in decibels against it (or against 1)."""
    hertz = np.interp(np.arange(len(sound)) / rate, np.arange(len(course)) + 0.5, course)
    phase = 2 * np.pi * np.cumsum(hertz) / rate
    hum = sum(np.sin(order * phase + order) / np.sqrt(order) for order in (1, 2, 3, 4, 6, 8, 10, 12, 16))
    hum = np.asarray(hum) / float(np.std(hum))
    wanted = float(np.std(sound)) or 1.0
    return (sound + wanted * 10 ** (level_db / 20) * hum).astype(np.float32)


def matched_grid(sound: Samples, rate: int, mains: float, courses: list[Course]) -> int:
    """The place of the first course among all, by how well it fits: 1 is found.

    The attacker sums the spectrum over harmonics, each stretched by its order, and lays every known course
    along it (after Hajj-Ahmad, Garg and Wu, "Spectrum combining for ENF signal estimation", 2013; matching
    whole courses instead of peaks is stronger where single windows are too noisy to have one).
    """
    window, points = 8 * rate, 64 * rate
    grid = mains + np.arange(-0.25, 0.2501, 0.01)
    starts = range(0, len(sound) - window, 2 * rate)
    shape = np.hanning(window)
    fits = np.zeros(len(courses))
    for start in starts:
        spectrum = np.abs(np.fft.rfft(sound[start : start + window] * shape, points)) ** 2
        combined = np.zeros(len(grid))
        for order in (1, 2, 3, 4, 6, 8, 10, 12, 16):
            levels = spectrum[np.rint(grid * order * 64).astype(int)]
            combined += np.log(levels + 1e-12) - np.log(levels + 1e-12).mean()
        middle = start / rate + 4
        for each, course in enumerate(courses):
            here = float(np.interp(middle, np.arange(len(course)) + 0.5, course))
            fits[each] += float(np.interp(here, grid, combined))
    return int(1 + np.sum(fits[1:] >= fits[0]))
