"""The mean face, the atlas and what is laid on a mesh; shapes that move."""

from __future__ import annotations

import numpy as np
import pytest
from made_faces import masks_of, scene_of, with_noise

from anonymizer.boxes import Box
from anonymizer.effects.mean_face import mean_face, mirror_images
from anonymizer.effects.meshes import ATLAS_SIDE, OVAL, atlas_points, lay, triangles, unroll
from anonymizer.effects.operator import Cover
from anonymizer.effects.region import region_of
from anonymizer.effects.surroundings import look_around
from anonymizer.effects.swap.driving import LIDS, Moves, moved
from anonymizer.effects.swap.painting import looks_of, paint_face
from anonymizer.landmarks.points import INNER_LIPS, MESH_POINTS, MOUTH_CORNERS
from anonymizer.settings import FaceSettings


def test_the_mean_face_is_whole_and_its_halves_mirror_each_other() -> None:
    face, mirror = mean_face(), mirror_images()
    assert face.shape == (MESH_POINTS, 3)
    assert (mirror[mirror] == np.arange(MESH_POINTS)).all()
    assert np.allclose(face[mirror] * [-1, 1, 1], face)
    assert face[454, 0] - face[234, 0] == pytest.approx(1)


def test_the_triangles_fill_the_outline_without_overlap() -> None:
    points, corners = atlas_points().astype(float), triangles()
    assert len(corners) == 2 * (MESH_POINTS - 1) - len(OVAL)
    a, b, c = (points[corners[:, i]] for i in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    ring = points[list(OVAL)]
    x, y = ring[:, 0], ring[:, 1]
    around = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    assert areas.sum() == pytest.approx(around, rel=1e-6)


def test_what_is_unrolled_and_laid_back_is_what_it_was() -> None:
    rows, columns = np.mgrid[:200, :200]
    picture = np.stack([columns, rows, (columns + rows) // 2], axis=2).astype(np.uint8)
    mesh = (mean_face() * [150, 150, 150] + [100, 105, 0]).astype(np.float32)
    laid = lay(unroll(picture, mesh).pixels, mesh, 200, 200)
    inside = laid.inside == 255
    assert inside.mean() > 0.3
    off = np.abs(laid.pixels.astype(int) - picture)[inside]
    # Where the face turns away, at its outline, a pixel of the atlas is several of the picture.
    assert np.percentile(off, 95) <= 2


def test_a_large_result_is_laid_as_a_small_one_is() -> None:
    rows, columns = np.mgrid[:ATLAS_SIDE, :ATLAS_SIDE]
    atlas = np.stack([columns // 3, rows // 3, (columns + rows) // 6], axis=2).astype(np.uint8)
    small, large = (
        lay(atlas, np.float32(side) * (np.float32(0.7) * mean_face() + np.float32([0.5, 0.5, 0])), side, side)
        for side in (200, 600)
    )
    both = (small.inside == 255) & (large.inside[1::3, 1::3] == 255)
    assert both.mean() == pytest.approx((small.inside == 255).mean(), abs=0.02)
    off = np.abs(small.pixels.astype(int) - large.pixels[1::3, 1::3])[both]
    assert np.percentile(off, 95) <= 2


def test_lids_shut_and_lips_part_as_far_as_is_said() -> None:
    face = mean_face()

    def gap(shape: np.ndarray, upper: int, lower: int) -> float:
        return float(shape[lower, 1] - shape[upper, 1])

    assert gap(moved(face, Moves(lids=(1, 0))), 159, 145) < 0.1 * gap(face, 159, 145)
    assert gap(moved(face, Moves(lids=(1, 0))), 386, 374) == gap(face, 386, 374)
    wider = gap(moved(face, Moves(jaw=0.1)), *INNER_LIPS) - gap(face, *INNER_LIPS)
    assert wider == pytest.approx(0.1, abs=0.01)
    left, right = MOUTH_CORNERS
    broad = moved(face, Moves(wide=0.06))
    assert broad[right, 0] - broad[left, 0] - (face[right, 0] - face[left, 0]) == pytest.approx(
        0.06, abs=0.01
    )
    assert {number for rows in LIDS for row in rows for number in row}.isdisjoint({33, 133, 263, 362})


def test_a_seed_paints_one_face_and_another_seed_another() -> None:
    first, again, other = (paint_face(bytes([seed]) * 32) for seed in (1, 1, 2))
    assert (first.atlas == again.atlas).all()
    assert not (first.atlas == other.atlas).all()
    assert len({looks_of(bytes([seed])).skin for seed in range(20)}) == 20


@pytest.mark.parametrize("size", [(320, 240), (65, 47), (1280, 720)])
def test_what_is_around_a_cover_says_nothing_of_what_is_under_it_or_another(size: tuple[int, int]) -> None:
    width, height = size
    boxes = [
        Box(width * 0.3, height * 0.2, width * 0.5, height * 0.7),
        Box(width * 0.55, 0, width, height * 0.6),
    ]
    covers = []
    for track, box in enumerate(boxes):
        region = region_of(box, 1.3, "ellipse", width, height)
        assert region is not None
        covers.append(Cover("face", track, box, FaceSettings(), region))
    seen = [
        look_around(with_noise(scene_of("video", width, height), covers, seed), covers[0].region, covers)
        for seed in (1, 2)
    ]
    assert (seen[0].fill == seen[1].fill).all()
    assert (seen[0].skin, seen[0].hair, seen[0].light) == (seen[1].skin, seen[1].hair, seen[1].light)


def test_a_picture_that_is_covered_whole_is_filled_with_grey() -> None:
    region = region_of(Box(0, 0, 64, 64), 4.0, "box", 64, 64)
    assert region is not None
    scene = scene_of("colours", 64, 64)
    cover = Cover("face", 0, Box(0, 0, 64, 64), FaceSettings(), region)
    assert all(mask.all() for mask in masks_of(scene, [cover]))
    around = look_around(scene, region, [cover])
    assert (around.fill == 128).all()
    assert around.skin is None
