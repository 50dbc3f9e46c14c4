"""A disk that is full: one clear error at every place that writes, and a service that goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import media_factory
import pytest
from service_process import Service

from grpc_api.errors import ServiceError

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting a small disk takes root"
)


@contextmanager
def small_disk(data: Path, kilobytes: int) -> Iterator[None]:
    """Puts the spool of a data folder on a disk of this size."""
    spool = data / "desk" / "spool"
    spool.mkdir(parents=True, mode=0o700)
    options = f"size={kilobytes}k,mode=0700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(spool)]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let its root mount a tmpfs")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(spool)], check=True)


# Kilobytes beyond the clip's own size: too few for its seal, or too few for the worker's scratch and result.
@pytest.mark.parametrize(("beyond", "where"), [(-40, "the upload"), (32, "the worker")])
def test_a_full_disk_is_one_clear_error(beyond: int, where: str, tmp_path: Path) -> None:
    clip = media_factory.face_clip(tmp_path / "clip.mp4", seconds=2)
    picture = media_factory.face_image(tmp_path / "face.jpg", size=(64, 64))
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with (
        small_disk(data, clip.stat().st_size // 1024 + beyond),
        Service(data, config="min_free_bytes = 1\n") as service,
    ):
        with pytest.raises(ServiceError) as full:
            service.submit(clip, tmp_path / "out.mp4")
        assert full.value.code == "storage_full", where
        assert not (tmp_path / "out.mp4").exists()
        assert service.spooled() == []
        assert service.health() == "SERVING"
        service.submit(picture, tmp_path / "face-out.jpg")


def test_an_upload_that_would_fill_the_disk_is_refused_at_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    clip = media_factory.face_clip(tmp_path / "clip.mp4", seconds=0.5)
    with Service(data, config=f"min_free_bytes = {1 << 60}\n") as service:
        with pytest.raises(ServiceError) as full:
            service.submit(clip, tmp_path / "out.mp4")
        assert full.value.code == "storage_full"
        assert service.spooled() == []
