"""What can still be read from a result: by a user's networks, made on the spot, and as poses."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from anonymizer import Models
from evaluation.errors import EvaluationError
from evaluation.pictures import perceptual, telling
from evaluation.pictures.evaluating import evaluate_pictures
from evaluation.pictures.findings import PictureFindings
from evaluation.pictures.lpips import read_lpips
from evaluation.pictures.perceptual import AddedDistance, installed_lpips
from evaluation.pictures.poses import PoseReader
from tests.drawn_people import photograph, quiet, write_film
from tests.made_networks import write_classifier, write_distance
from tests.people_factory import with_person

Pixels = npt.NDArray[np.uint8]


def test_a_distance_by_manifest(tmp_path: Path) -> None:
    network = AddedDistance(write_distance(tmp_path))
    picture = photograph(0, 0)
    assert network.between(picture, picture) == 0
    darker = np.asarray(picture // 2, np.uint8)
    fitted = [cv2.resize(each, (64, 64), interpolation=cv2.INTER_AREA) / 127.5 for each in (picture, darker)]
    expected = float(np.sqrt(np.mean((fitted[0] - fitted[1]) ** 2)))
    assert network.between(picture, darker) == pytest.approx(expected, rel=1e-4)
    assert network.between(picture, darker) < network.between(picture, np.zeros_like(picture))


def alexnet(seed: int = 1) -> nn.Sequential:
    """The convolutions of AlexNet as torchvision numbers them, with weights of nobody's."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
        )  # fmt: skip


def saved(table: dict[str, torch.Tensor]) -> bytes:
    made = io.BytesIO()
    torch.save(table, made)
    return made.getvalue()


@pytest.fixture(scope="module")
def weights() -> tuple[nn.Sequential, list[torch.Tensor], bytes, bytes]:
    network = alexnet()
    generator = torch.Generator().manual_seed(2)
    over = [torch.rand((1, size, 1, 1), generator=generator) for size in (64, 192, 384, 256, 256)]
    backbone = saved({f"features.{name}": value for name, value in network.state_dict().items()})
    layers = saved({f"lin{number}.model.1.weight": value for number, value in enumerate(over)})
    return network, over, backbone, layers


def by_the_paper(network: nn.Sequential, over: list[torch.Tensor], pictures: list[Pixels]) -> float:
    """The distance of Zhang et al. 2018, equation 1, place by place, over torch's own layers."""
    answers = []
    for picture in pictures:
        values = torch.from_numpy(picture.astype(np.float32) / 255).permute(2, 0, 1)[None]
        # As ImageNet's networks take pictures, within the rounding of the paper's own constants.
        for channel, (mean, deviation) in enumerate(
            zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)
        ):
            values[:, channel] = (values[:, channel] - mean) / deviation
        answers.append([])
        with torch.inference_mode():
            for layer in network:
                values = layer(values)
                if isinstance(layer, nn.ReLU):
                    answers[-1].append(values[0].double().numpy())
    total = 0.0
    for one, other, weight in zip(*answers, over, strict=True):
        places = []
        for row in range(one.shape[1]):
            for column in range(one.shape[2]):
                a, b = one[:, row, column], other[:, row, column]
                a, b = a / (np.linalg.norm(a) + 1e-10), b / (np.linalg.norm(b) + 1e-10)
                places.append(float((weight.flatten().double().numpy() * (a - b) ** 2).sum()))
        total += sum(places) / len(places)
    return total


def test_lpips_is_the_papers(
    weights: tuple[nn.Sequential, list[torch.Tensor], bytes, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, over, backbone, layers = weights
    name = f"alexnet-owt-{hashlib.sha256(backbone).hexdigest()[:8]}.pth"
    for file, content in ((name, backbone), ("alex.pth", layers)):
        (tmp_path / file).write_bytes(content)
    assert installed_lpips(tmp_path / name, tmp_path / "alex.pth") is None, "not the file that is expected"
    monkeypatch.setattr(perceptual, "BACKBONE", name)
    found = installed_lpips(tmp_path / name, tmp_path / "alex.pth")
    assert found is not None
    one = np.ascontiguousarray(photograph(0, 0)[:96, :80])
    other = np.asarray(cv2.GaussianBlur(one, (0, 0), 3), np.uint8)
    assert found.between(one, one) == 0
    assert found.between(one, other) == pytest.approx(by_the_paper(network, over, [one, other]), rel=0.02)
    assert found.sha256 == hashlib.sha256(backbone + layers).hexdigest()
    assert installed_lpips(tmp_path / name, tmp_path / "none.pth") is None
    for first, second in ((b"no weights", layers), (layers, backbone), (backbone, b"")):
        with pytest.raises(EvaluationError) as refused:
            read_lpips(first, second)
        assert refused.value.code == "model_unusable"


def test_a_pose_is_kept_by_who_still_stands_there(models: Models) -> None:
    if models.pose is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    reader = PoseReader(models)
    original, where = with_person(400, 400, 60, 60, 260)

    def only(result: Pixels) -> tuple[float, float | None]:
        (pose,) = reader.compare(original, result)
        return pose.kept, pose.off

    assert only(original) == (1.0, 0.0)
    kept, off = only(np.asarray(cv2.GaussianBlur(original, (0, 0), 1), np.uint8))
    assert kept > 0.6
    assert off is not None
    assert 0 < off < 0.1
    assert only(np.asarray(cv2.GaussianBlur(original, (0, 0), 4), np.uint8))[0] < kept
    kept, off = only(np.roll(original, 60, axis=1))
    assert kept < 0.2, "a body beside itself is no pose kept"
    assert off is not None
    assert off > 0.1
    assert only(np.where(where[:, :, None], np.uint8(128), original)) == (0.0, None)
    assert list(reader.compare(np.zeros_like(original), original)) == []


def film(path: Path, light: Callable[[float], float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = np.full((64, 64, 3), 1.0)
    write_film(path, [np.asarray(plain * light(number / 20), np.uint8) for number in range(20)])


def dawn(share: float) -> float:
    return 40 + 160 * share


def dusk(share: float) -> float:
    return 200 - 160 * share


def flat(_: float) -> float:
    return 120


def classified(before: Path, after: Path, tmp_path: Path) -> PictureFindings:
    classifier = write_classifier(tmp_path, frames=4, step=2)
    return evaluate_pictures(before, after, classifier=classifier, poses=False, on_progress=quiet)


def test_actions_by_a_users_classifier(tmp_path: Path) -> None:
    """Of four films one is turned around by the effect; one stood in the wrong folder from the start."""
    before, after = tmp_path / "before", tmp_path / "after"
    shown = {
        "dawn/1": (dawn, dawn),
        "dawn/2": (dusk, dusk),
        "dusk/1": (dusk, dawn),
        "elsewhere/1": (dawn, dawn),
    }
    for name, (one, other) in shown.items():
        film(before / f"{name}.mp4", one)
        film(after / f"{name}.mp4", other)
    cv2.imwrite(str(before / "still.png"), photograph(0, 0))
    cv2.imwrite(str(after / "still.png"), photograph(0, 0))
    found = classified(before, after, tmp_path)
    actions = found.actions
    assert actions is not None
    assert (actions.films, actions.named) == (4, 3)
    assert actions.agreement.value == pytest.approx(3 / 4)
    assert actions.before is not None
    assert actions.before.value == pytest.approx(2 / 3)
    assert actions.after is not None
    assert actions.after.value == pytest.approx(1 / 3)
    assert actions.agreement.within.low < 3 / 4 < actions.agreement.within.high
    told = "\n".join(telling.lines(found))
    assert "Small sample. action sees the original's class in 75.0 %" in told
    document = found.document()["actions"]
    assert document["accuracy"]["results"]["value"] == pytest.approx(1 / 3, abs=1e-3)


def test_a_film_that_is_shorter_than_a_clip_has_no_class(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    write_film(path, [np.full((64, 64, 3), 90, np.uint8)] * 5)
    found = classified(path, path, tmp_path)
    assert found.actions is None
    assert found.document()["actions"] is None
    assert telling.NO_CLIPS in telling.lines(found)


def test_a_network_that_fails_is_no_recording_that_cannot_be_read(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    for number in range(2):
        cv2.imwrite(str(before / f"{number}.png"), photograph(number, 0))
    manifest = write_distance(tmp_path)
    found = evaluate_pictures(before, before, distance=manifest, poses=False, on_progress=quiet)
    assert found.apart is not None
    assert found.apart.mean.value == 0
    assert "picture-distance: 0.000" in "\n".join(telling.lines(found))
    assert found.document()["distance"]["network"] == "picture-distance"
    # It says 64, and its graph answers to no other size.
    manifest.write_text(manifest.read_text().replace("= 64", "= 96"))
    with pytest.raises(EvaluationError) as refused:
        evaluate_pictures(before, before, distance=manifest, poses=False, on_progress=quiet)
    assert refused.value.code == "model_unusable"


def test_intervals_are_narrower_with_more_recordings(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    widths = []
    for count in (4, 32):
        for folder in (before, after):
            folder.mkdir(exist_ok=True)
        for number in range(count):
            picture = photograph(number % 8, number // 8)[::2, ::2]
            soft = cv2.GaussianBlur(picture, (0, 0), 0.3 + 0.4 * (number % 4))
            cv2.imwrite(str(before / f"{number}.png"), picture)
            cv2.imwrite(str(after / f"{number}.png"), soft)
        found = evaluate_pictures(before, after, poses=False, on_progress=quiet)
        assert found.ssim is not None
        assert found.ssim.drawn == count
        widths.append(found.ssim.mean.within.high - found.ssim.mean.within.low)
    assert all(more > less for more, less in pairwise(widths))
    assert found.sample_in_words == ""
