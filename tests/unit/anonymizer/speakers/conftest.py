"""The pinned networks, opened once; skipped, and told so, where their packages are not installed."""

from __future__ import annotations

import pytest

from anonymizer.models import ACTIVITY, PINNED_SHA256, PLACES, SPEAKERS, check_digest
from anonymizer.models import _read as read_file
from anonymizer.speakers import SpeakerFiles, SpeakerNetworks, open_speakers, speaker_files


def pinned(name: str) -> bytes:
    """One of the two files, its digest checked."""
    content = read_file(*PLACES[name])
    if content is None:
        pytest.skip(f"the package {PLACES[name][0]} is not installed, which brings {name}")
    check_digest(content, PINNED_SHA256[name])
    return content


@pytest.fixture(scope="session")
def pretrained() -> bytes:
    """Resemblyzer's weights, as they lie in the package."""
    return pinned(SPEAKERS)


@pytest.fixture(scope="session")
def files(pretrained: bytes) -> SpeakerFiles:
    """Both networks, ready to run."""
    return speaker_files(pretrained, pinned(ACTIVITY))


@pytest.fixture(scope="session")
def networks(files: SpeakerFiles) -> SpeakerNetworks:
    """Both networks, open."""
    return open_speakers(files, 1)
