"""The effect: in place of each covered face one that a network makes, alike as long as it is followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2

from anonymizer.effects.acting import Act, Actors, Reader, open_reader
from anonymizer.effects.colours import Rgb, rectangle_of
from anonymizer.effects.generator.framing import landmarks_in, pasted
from anonymizer.effects.generator.network import GeneratorNetwork
from anonymizer.effects.identities import Identities
from anonymizer.effects.mean_face import mean_face
from anonymizer.effects.operator import Cover, Operator, Paint, Scene
from anonymizer.effects.painting import painting
from anonymizer.effects.surroundings import look_around
from anonymizer.effects.swap.faces import placed
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import GENERATOR
from anonymizer.models import Models
from anonymizer.settings import Kind, Settings


class Generate:
    """An Operator. What the network makes depends on pose, expression and seed; the rest is from beside."""

    def __init__(self, reader: Reader, network: GeneratorNetwork, identities: Identities) -> None:
        """Takes what reads the covered faces, what makes others, and who they are."""
        self._actors = Actors(reader)
        self._network = network
        self._identities = identities

    def plan(self, scene: Scene, covers: Sequence[Cover]) -> Paint:
        """See Operator.plan. A face that cannot be read gets neutral grey."""
        acts = self._actors.acts(scene, covers)
        self._identities.meet([cover for cover in covers if cover.track in acts])
        made = [
            (cover, self._made(scene, cover, acts[cover.track], covers) if cover.track in acts else None)
            for cover in sorted(covers, key=lambda each: each.box.height)
        ]
        return painting(scene, made)

    def _made(self, scene: Scene, cover: Cover, act: Act, covers: Sequence[Cover]) -> Rgb:
        around = look_around(scene, cover.region, covers)
        left, top, _, _ = rectangle_of(cover.region)
        pose = replace(act.pose, x=act.pose.x - left, y=act.pose.y - top)
        mesh = placed(mean_face(), act.expression, pose)
        face = self._network.make(
            self._identities.seed_of(cover.track),
            landmarks_in(mesh, pose, self._network.manifest.landmarks),
            (pose.yaw, pose.pitch, pose.roll),
        )
        made = pasted(around.fill, cover.region.coarse, face, pose)
        if around.is_grey:
            made[:] = cv2.cvtColor(made, cv2.COLOR_RGB2GRAY)[:, :, None]
        return made


def open_generator(models: Models, settings: Settings, kind: Kind) -> Operator:
    """Opens the effect with the network that was added.

    Raises:
        AnonymizerError: model_missing, where none was added or faces cannot be read; model_unusable.
    """
    reader = open_reader(models, "generator")
    if models.generator is None:
        raise AnonymizerError("model_missing", f"The policy asks for {GENERATOR}.")
    network = GeneratorNetwork(models.files[GENERATOR], models.generator, settings.threads)
    return Generate(reader, network, Identities(settings, "generator"))
