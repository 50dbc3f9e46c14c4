"""`bauta submit --enrol`, through a real service whose worker knows faces: one is shown, the other is not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
import service_process
from enrolled_faces import ana, ben, file_of, frames_of, manifest_text, network, put_network
from media_factory import face_clip
from service_process import Service, clean_environment

from anonymizer import load_models
from enclave.policy import EnrolledPerson, Terms, parse_policy
from enclave.review.decisions import Decisions, OnTrack
from enclave.review.sheet import sheet_from_object
from grpc_api.client import submission
from grpc_api.client.enrolment import Enrolment
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity
from keyvault.key_file import write_key_file
from keyvault.templates.keys import make_keys
from keyvault.templates.scores import EncryptedScores, open_scores
from keyvault.templates.templates import enrol
from keyvault.templates.vectors import Kind, Space

Pixels = npt.NDArray[np.uint8]

POLICY = """schema = "bauta.policy/v1"
name = "meeting"
summary = "Everybody under a solid cover, but for the speaker, who is enrolled."
modes = ["fast"]
locked = false
matching = ["face"]

[faces]
effect = "solid"
shape = "box"
scale = 1.3
threshold = 0.2
passes = 1
linger_seconds = 0.5
lookahead_seconds = 0.5

[[roles]]
name = "speaker"
enrolled = true
[roles.faces]
effect = "keep"

[[roles]]
name = "chair"
[roles.faces]
effect = "blur"

[review]
may = ["role"]

[audio]
effect = "remove"
"""
# Where each head is, and where the face is in it.
HERS, HIS = (40, 60), (400, 80)
TOP, BOTTOM, LEFT, RIGHT = 60, 140, 70, 140
COVERED, UNCHANGED = 25.0, 10.0
FRAMES = 25

# The service as it is, but for where its worker looks for added models.
PROGRAM = """#!{python}
import subprocess, types
import console.supervisor as supervisor
NURSERY = '''
import sys
from enclave.nursery.environment import prepare_environment
prepare_environment()
import pathlib, anonymizer.models as models
models.load_models.__defaults__ = (None, pathlib.Path({folder!r}))
from enclave.nursery.__main__ import main
sys.exit(main())
'''
def started(words, **how):
    if words[2:4] == ["-m", "enclave.nursery"]:
        words = [*words[:2], "-c", NURSERY, *words[4:]]
    return subprocess.Popen(words, **how)
supervisor.subprocess = types.SimpleNamespace(**{{**vars(subprocess), "Popen": started}})
from console.main import run
run()
"""


@dataclass(frozen=True)
class Desk:
    """A command line, a running service whose worker knows faces, and a clip of two people."""

    program: Sequence[str]
    folder: Path
    service: Service

    @property
    def clip(self) -> Path:
        return self.folder / "in.mp4"

    @property
    def policy(self) -> Path:
        return self.folder / "meeting.toml"

    def json(self, *words: object) -> dict[str, Any]:
        """Runs one command and reads its JSON, whatever it says."""
        done = subprocess.run(
            [*self.program, *map(str, words), "--json"],
            capture_output=True,
            text=True,
            env={**clean_environment(), "BAUTA_DATA": str(self.service.data)},
            timeout=240,
            check=False,
        )
        return dict(json.loads(done.stdout))

    def submitted(self, target: Path, *words: object) -> dict[str, Any]:
        return self.json("submit", self.clip, "-o", target, "--policy", self.policy, *words)


@pytest.fixture(scope="module")
def desk(bauta: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    if load_models("cpu").landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    folder = tmp_path_factory.mktemp("enrolled")
    added, data, program = folder / "added", folder / "data", folder / "bauta"
    added.mkdir()
    data.mkdir(mode=0o700)
    content = network()
    put_network(added, content, manifest_text(content))
    program.write_text(PROGRAM.format(python=sys.executable, folder=str(added)))
    program.chmod(0o700)
    (folder / "meeting.toml").write_text(POLICY)
    (folder / "ana.png").write_bytes(file_of(ana()))
    (folder / "ben.jpg").write_bytes(file_of(ben(), ".jpg"))
    people = [(ana(), lambda _: HERS), (ben(), lambda _: HIS)]
    face_clip(folder / "in.mp4", fps=25, frames=frames_of(FRAMES, people), audio=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service_process, "bauta_program", lambda: program)
        with Service(data) as service:
            yield Desk(bauta, folder, service)


def decoded(path: Path) -> list[Pixels]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def changed(desk: Desk, result: Path, at: tuple[int, int]) -> list[float]:
    """By how much a face differs from the original, frame by frame."""
    part = slice(at[1] + TOP, at[1] + BOTTOM), slice(at[0] + LEFT, at[0] + RIGHT)
    pairs = zip(decoded(desk.clip), decoded(result), strict=True)
    return [float(np.abs(before[part].astype(int) - after[part]).mean()) for before, after in pairs]


def test_whoever_is_enrolled_is_shown_and_the_other_is_covered_in_every_frame(desk: Desk) -> None:
    result = desk.folder / "out.mp4"
    told = desk.submitted(result, "--enrol", f"speaker={desk.folder / 'ana.png'}")
    hers, his = changed(desk, result, HERS), changed(desk, result, HIS)
    assert len(his) == FRAMES
    assert min(his) > COVERED
    shown = sum(value < UNCHANGED for value in hers)
    assert all((value < UNCHANGED) != (value > COVERED) for value in hers)
    assert 10 < shown < FRAMES
    assert told["recognized"] == {"frames": shown, "tracks": 1}
    statement = desk.json("verify", result)["statement"]
    assert statement["recognized"] == {"frames": shown, "tracks": 1}
    # Who it was stands nowhere.
    assert "speaker" not in json.dumps(statement)
    # Nor does the desk keep pictures of anybody.
    assert desk.service.spooled() == []


def test_a_review_remembers_who_was_recognized_and_needs_no_picture_again(desk: Desk) -> None:
    result, again, covered = (desk.folder / f"{name}.mp4" for name in ("reviewed", "again", "covered"))
    (desk.folder / "people.toml").write_text('[[person]]\nrole = "speaker"\npictures = ["ana.png"]\n')
    told = desk.submitted(result, "--enrolled", desk.folder / "people.toml", "--review")
    assert told["recognized"]["tracks"] == 1
    package = result.with_name(result.name + ".review")
    key = json.loads(result.with_name(result.name + ".review-key").read_bytes())
    assert key["instructions"] == {}
    sheet = sheet_from_object(desk.json("review", package))
    kept = next(track for track in sheet.tracks if track.effect == "keep")
    chosen = desk.folder / "decisions.json"
    for target, decisions in ((again, ()), (covered, (OnTrack("cover", kept.track),))):
        chosen.write_text(json.dumps(Decisions(sheet.record_sha256, decisions).to_object()))
        words = ("review", package, "--decide", chosen, "--original", desk.clip, "-o", target)
        second = desk.json(*words)
        assert second["recognized"] == (told["recognized"] if not decisions else {}), second
        assert min(changed(desk, target, HIS)) > COVERED
    assert again.read_bytes() == result.read_bytes()
    assert min(changed(desk, covered, HERS)) > COVERED


def test_what_is_wrong_with_an_enrolment_comes_back_as_a_code(desk: Desk, tmp_path: Path) -> None:
    result = tmp_path / "out.mp4"
    (tmp_path / "two.png").write_bytes(file_of(np.hstack([ana(), ben()])))
    told = desk.submitted(result, "--enrol", f"speaker={tmp_path / 'two.png'}")
    assert told["error"]["code"] == "enrolment_many_faces"
    assert not result.exists()


def test_a_role_that_only_a_reviewer_may_give_is_refused_by_the_worker_too(
    desk: Desk, tmp_path: Path
) -> None:
    told = desk.submitted(tmp_path / "out.mp4", "--enrol", f"chair={desk.folder / 'ana.png'}")
    assert told["error"]["code"] == "usage"
    me = HybridIdentity.generate()
    with desk.service.connect() as connection, pytest.raises(ServiceError) as caught:
        submission.submit(
            connection,
            desk.service.trust,
            source=desk.clip,
            output=tmp_path / "out.mp4",
            terms=Terms(parse_policy(POLICY), "fast", (str(me.recipient),)),
            identity=me,
            on_progress=lambda *_: None,
            enrolment=Enrolment((EnrolledPerson("chair", embedding=bytes(range(1, 65)) * 12),)),
        )
    assert caught.value.code == "enrolment_not_allowed"


def test_faces_are_compared_with_an_encrypted_template_and_stay_covered(desk: Desk) -> None:
    """Ana's template: her row is near one and Ben's is not, which its owner alone reads; both are covered."""
    key, template, result = (desk.folder / name for name in ("owner.key", "ana.template", "compared.mp4"))
    context = key.with_name(key.name + ".context")
    owner, public = make_keys()
    write_key_file(context, public.encoded, None)
    content = network()
    manifest = desk.folder / "faces.toml"
    manifest.write_text(manifest_text(content))
    manifest.with_name("faces.onnx").write_bytes(content)
    words = ("--face", desk.folder / "ana.png", "--recognizer", manifest, "-o", template)
    enrolled = desk.json("template", "enroll", context, *words)
    assert enrolled["kind"] == "face"
    told = desk.submitted(result, "--match", context, "--template", template)
    assert min(min(changed(desk, result, at)) for at in (HERS, HIS)) > COVERED
    assert told["scores"] == str(result.with_name(result.name + ".scores"))
    scores = EncryptedScores.from_bytes(Path(told["scores"]).read_bytes())
    statement = desk.json("verify", result)["statement"]
    assert statement["matched"] == {"templates": 1, "vectors": scores.vectors}
    (cosines,) = open_scores(owner, public, scores)
    assert sorted(cosine > 0.9 for cosine in cosines) == [False, True]


def test_a_policy_that_lets_nobody_be_compared_is_refused_before_anything_is_sent(
    desk: Desk, tmp_path: Path
) -> None:
    _, public = make_keys()
    context, template = tmp_path / "context", tmp_path / "template"
    write_key_file(context, public.encoded, None)
    space = Space(Kind.FACE, "ab" * 32, 192)
    write_key_file(template, enrol(public, space, np.ones(192)).to_bytes(), None)
    words = ("--match", context, "--template", template)
    told = desk.json("submit", desk.clip, "-o", tmp_path / "out.mp4", "--policy", "classroom", *words)
    assert told["error"]["code"] == "usage"
    told = desk.submitted(tmp_path / "out.mp4", "--match", context)
    assert told["error"]["code"] == "usage"
    told = desk.submitted(tmp_path / "out.mp4", *words)
    assert told["error"]["code"] == "matching_other_network"
