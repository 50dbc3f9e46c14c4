"""Whole jobs in a real warm parent behind the real wall, from the sealed upload to the opened result."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import av
import psutil
import pytest
from media_factory import face_clip, face_image
from people_factory import installed_models
from worker_harness import SALT, Answers, Nursery, Twist, honest, opened

from anonymizer.models import FULL_RANGE, PINNED_SHA256
from enclave.errors import HostError
from enclave.policy import Terms, parse_policy, shipped
from enclave.wall import require_floor
from keyvault.age import HybridIdentity, SealWriter
from protos.bauta.internal.v1.release_pb2 import ReleaseOffer, ReleaseRequest, ReleaseResponse
from provenance.dsse import Envelope
from provenance.statements import JobFacts, ReleaseFacts

STREET = shipped()["street"]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(autouse=True)
def honest_vault(nursery: Nursery) -> Iterator[None]:
    yield
    nursery.vault.twist = honest


@pytest.fixture(scope="module")
def me() -> HybridIdentity:
    return HybridIdentity.generate()


@pytest.fixture(scope="module")
def terms(me: HybridIdentity) -> Terms:
    return Terms(policy=STREET, mode="fast", recipients=(str(me.recipient),))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4", seconds=0.5).read_bytes()


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clip") / "long.mp4", seconds=8, audio=False).read_bytes()


def test_the_hello_says_what_stands_and_what_runs(nursery: Nursery) -> None:
    hello = nursery.host.hello()
    require_floor(hello.walls)
    assert not set(hello.walls) & set(hello.missing_walls)
    assert hello.device in {"cpu", "cuda"}
    assert [model.name for model in hello.models] == installed_models()
    assert hello.measurement == nursery.vault.hello.measurement


def test_a_face_goes_in_and_a_signed_anonymized_video_comes_out(
    nursery: Nursery, me: HybridIdentity, terms: Terms, clip: bytes
) -> None:
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    result = finished.result
    assert result.sealed_bytes == len(finished.sealed)
    assert result.sealed_sha256 == hashlib.sha256(finished.sealed).digest()

    media = opened(finished.sealed, me)
    with av.open(BytesIO(media)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        assert not container.streams.audio

    request = nursery.vault.requests[-1]
    evidence = Envelope.from_bytes(result.evidence)
    release = ReleaseFacts.from_statement(evidence.verify(nursery.vault.node.public))
    facts = JobFacts.from_statement(Envelope.from_bytes(result.statement).verify(release.worker_key))
    assert facts.job_id == release.job_id == request.job_id.hex()
    assert facts.result_sha256 == hashlib.sha256(media).hexdigest()
    assert (facts.result_bytes, facts.media_type) == (len(media), "video/mp4")
    assert facts.original_commitment == hmac.new(SALT, clip, hashlib.sha256).hexdigest()
    assert facts.policy_sha256 == hashlib.sha256(STREET.text.encode()).hexdigest()
    assert facts.terms_sha256 == hashlib.sha256(terms.to_bytes()).hexdigest()
    assert (facts.mode, facts.effect, facts.audio) == ("fast", "mosaic", "removed")
    assert facts.measurement == nursery.host.hello().measurement.hex()
    assert set(facts.walls) == set(nursery.host.hello().walls) == set(request.walls)
    assert facts.frames == frames == 12
    assert facts.frames_with_faces == 12
    assert facts.tracks >= 1
    # The policy asks for number plates, and the clip shows none.
    assert (facts.also_covered, facts.frames_also_covered) == ({"plate": "solid"}, {"plate": 0})
    # Read back behind the wall, through the encrypted scratch file.
    assert (facts.quality["encodings"], facts.quality["frames_missing"]) == (1, 0)
    assert facts.quality["frames_read"] > 0
    assert facts.quality_short == ()
    # And attacked, behind the same wall.
    assert (facts.leaks_look, facts.leaks["rounds"]) == ("sampled", 1)
    assert 4 <= facts.leaks["frames_attacked"] <= frames
    assert (facts.leaks["frames_unchecked"], facts.leaks["metadata_left"], facts.leaks["faces_open"]) == (
        0,
        0,
        0,
    )
    assert facts.leaks["faces_attacked"] >= facts.leaks["frames_attacked"]
    assert "texts_open" not in facts.leaks, "the policy lets text stay"
    assert facts.attackers.items() <= facts.models.items()
    if FULL_RANGE in facts.models:
        assert FULL_RANGE in facts.independent
    assert facts.sensor_noise == "kept"
    assert facts.models == {model.name: model.sha256.hex() for model in nursery.host.hello().models}
    assert {"decrypt", "decode", "detect", "cover", "encode", "seal", "prove"} <= set(result.stage_seconds)


@pytest.mark.parametrize(
    ("table", "noise", "likeness"),
    [
        ('[camera]\nnoise = "suppress"', "suppressed", range(800, 1000)),
        ("[encoding]\nlossless = true", "kept", range(1000, 1001)),
    ],
    ids=["the sensor's noise suppressed", "without loss"],
)
def test_the_picture_outside_the_covers_is_as_the_policy_says(
    nursery: Nursery, me: HybridIdentity, clip: bytes, table: str, noise: str, likeness: range
) -> None:
    policy = parse_policy(f"{STREET.text}\n{table}\n")
    terms = Terms(policy=policy, mode="fast", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    worker_key = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    ).worker_key
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker_key))
    assert facts.sensor_noise == noise
    assert facts.quality["ssim_permille"] in likeness
    assert facts.quality_short == ()


PEOPLE = """
[people]
effect = "solid"
shape = "box"
scale = 1.1
threshold = 0.3
linger_seconds = 0.5
lookahead_seconds = 0.5
detectors = ["mediapipe-pose", "steady-camera"]
"""


def test_a_whole_person_is_found_behind_the_wall(nursery: Nursery, me: HybridIdentity, clip: bytes) -> None:
    if "mediapipe-pose" not in installed_models():
        pytest.skip("no mediapipe 0.10.21 for this Python")
    policy = parse_policy(STREET.text + PEOPLE)
    terms = Terms(policy=policy, mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    worker_key = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    ).worker_key
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker_key))
    assert facts.also_covered == {"person": "solid", "plate": "solid"}
    assert facts.frames_also_covered["person"] == facts.frames == 12
    assert facts.policy_sha256 == policy.digest.hex()


@pytest.mark.parametrize(
    "detectors", ['"mediapipe-face"', '"centerface", "mediapipe-face"'], ids=["alone", "both"]
)
def test_a_second_face_detector_looks_behind_the_wall(
    nursery: Nursery, me: HybridIdentity, clip: bytes, detectors: str
) -> None:
    if "mediapipe-face" not in installed_models():
        pytest.skip("no mediapipe 0.10.21 for this Python")
    policy = parse_policy(STREET.text.replace("[faces]\n", f"[faces]\ndetectors = [{detectors}]\n"))
    assert len(policy.faces.detectors) == detectors.count(",") + 1
    assert "mediapipe-face" in policy.faces.detectors
    terms = Terms(policy=policy, mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    worker_key = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    ).worker_key
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker_key))
    assert facts.frames_with_faces == facts.frames == 12
    assert facts.models["mediapipe-face"] == PINNED_SHA256["mediapipe-face"]


def test_a_persona_is_drawn_behind_the_wall(nursery: Nursery, me: HybridIdentity, clip: bytes) -> None:
    if not {"mediapipe-face-mesh", "mediapipe-iris"} <= set(installed_models()):
        pytest.skip("no mediapipe 0.10.21 for this Python")
    policy = parse_policy(STREET.text.replace('effect = "mosaic"', 'effect = "persona"'))
    assert policy.faces.effect == "persona"
    terms = Terms(policy=policy, mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    worker_key = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    ).worker_key
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker_key))
    assert facts.frames_with_faces == facts.frames == 12
    assert facts.models["mediapipe-face-mesh"] == PINNED_SHA256["mediapipe-face-mesh"]
    assert opened(finished.sealed, me)[4:8] == b"ftyp"


def test_the_stages_come_in_order(nursery: Nursery, terms: Terms, clip: bytes) -> None:
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    reports = finished.reports
    evidence = [report for report in reports if report.WhichOneof("report") == "evidence"]
    assert [report.evidence.evidence for report in evidence] == [finished.result.evidence]
    stages = [report.progress.stage for report in reports if report.WhichOneof("report") == "progress"]
    assert list(dict.fromkeys(stages)) == ["open", "anonymize", "seal", "prove"]


def test_the_front_desks_files_hold_no_plaintext(
    nursery: Nursery, me: HybridIdentity, terms: Terms, clip: bytes
) -> None:
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    media = opened(finished.sealed, me)
    for start in range(0, len(media) - 32, 4096):
        assert media[start : start + 32] not in finished.scratch
        assert media[start : start + 32] not in finished.sealed
    assert b"ftyp" in media


def test_a_still_works_too(nursery: Nursery, me: HybridIdentity, terms: Terms, tmp_path: Path) -> None:
    picture = face_image(tmp_path / "face.jpg").read_bytes()
    finished = nursery.run(nursery.seal(picture, terms), terms.to_bytes())
    assert finished.result.media_type == "image/jpeg"
    assert opened(finished.sealed, me).startswith(b"\xff\xd8")


def test_every_job_has_its_own_keys(nursery: Nursery, terms: Terms) -> None:
    upload = nursery.seal(b"", terms)
    for _ in range(5):
        assert nursery.run(upload, terms.to_bytes()).failure_code == "media_empty"
    for field in ("worker_hpke_key", "worker_ed25519_key", "worker_mldsa65_key", "job_id"):
        assert len({getattr(request, field) for request in nursery.vault.requests[-5:]}) == 5


def test_other_terms_in_the_request_than_in_the_seal_are_refused(
    nursery: Nursery, me: HybridIdentity, terms: Terms, clip: bytes
) -> None:
    stranger = HybridIdentity.generate()
    swapped = {
        "another recipient": Terms(STREET, "fast", (str(stranger.recipient),)),
        "one more recipient": Terms(STREET, "fast", (str(me.recipient), str(stranger.recipient))),
        "another policy": Terms(shipped()["classroom"], "fast", (str(me.recipient),)),
        "another mode": Terms(STREET, "balanced", (str(me.recipient),)),
    }
    upload = nursery.seal(clip, terms)
    for what, request_terms in swapped.items():
        finished = nursery.run(upload, request_terms.to_bytes())
        assert finished.failure_code == "terms_mismatch", what
        assert finished.sealed == b"", what


def flipped(upload: bytes, offset: int) -> bytes:
    changed = bytearray(upload)
    changed[offset] ^= 1
    return bytes(changed)


DAMAGE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a byte in an early chunk": (lambda upload: flipped(upload, -(70 << 10)), "age_payload_corrupt"),
    "the last byte": (lambda upload: flipped(upload, -1), "age_payload_corrupt"),
    "cut at a chunk": (lambda upload: upload[: -(len(upload) % 65552)], "age_payload_corrupt"),
    "no payload": (lambda upload: upload[: upload.index(b"\n---") + 49], "age_header_invalid"),
    "nothing at all": (lambda _upload: b"", "age_header_invalid"),
    "no age file": (lambda _upload: b"hello\n" * 100, "age_header_invalid"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "code"), DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_upload_gives_a_code_and_no_result(
    nursery: Nursery, terms: Terms, clip: bytes, damage: Callable[[bytes], bytes], code: str
) -> None:
    finished = nursery.run(damage(nursery.seal(clip, terms)), terms.to_bytes())
    assert finished.failure_code in {code, "age_payload_truncated"}
    assert finished.sealed == b""


def test_an_upload_without_a_preamble_is_refused(nursery: Nursery, terms: Terms, clip: bytes) -> None:
    sealed = BytesIO()
    with SealWriter(sealed, [nursery.vault.intake.recipient]) as writer:
        writer.write(clip)
    assert nursery.run(sealed.getvalue(), terms.to_bytes()).failure_code == "preamble_invalid"


def refuse(_request: ReleaseRequest, answers: Answers) -> None:
    answers.offer = ReleaseOffer(error_code="upload_header_invalid")


def refuse_in_words_of_its_own(_request: ReleaseRequest, answers: Answers) -> None:
    answers.offer = ReleaseOffer(error_code="SECRET of somebody")


def say_nothing(_request: ReleaseRequest, answers: Answers) -> None:
    answers.offer = None


def refuse_after_the_offer(_request: ReleaseRequest, answers: Answers) -> None:
    answers.response = ReleaseResponse(error_code="release_not_recorded")


def say_nothing_after_the_offer(_request: ReleaseRequest, answers: Answers) -> None:
    answers.response = None


def change_the_key(_request: ReleaseRequest, answers: Answers) -> None:
    assert answers.response is not None
    answers.response.sealed_file_key = flipped(answers.response.sealed_file_key, 40)


class GiveEvidenceOfTheFirstJob:
    """A vault that certifies other keys than the child's."""

    def __init__(self) -> None:
        self.first: bytes | None = None

    def __call__(self, _request: ReleaseRequest, answers: Answers) -> None:
        assert answers.offer is not None
        if self.first is None:
            self.first = answers.offer.evidence
        answers.offer.evidence = self.first


def give_no_evidence(_request: ReleaseRequest, answers: Answers) -> None:
    answers.offer = ReleaseOffer(evidence=b"{}")


LIES = {
    "it refuses": (refuse, "age_header_invalid"),
    "it refuses in words of its own": (refuse_in_words_of_its_own, "release_refused"),
    "it says nothing": (say_nothing, "vault_unavailable"),
    "it refuses after its offer": (refuse_after_the_offer, "release_not_recorded"),
    "it says nothing after its offer": (say_nothing_after_the_offer, "vault_unavailable"),
    "its key is changed on the way": (change_the_key, "release_refused"),
    "its evidence is none": (give_no_evidence, "release_refused"),
}


@pytest.mark.parametrize(("twist", "code"), LIES.values(), ids=LIES.keys())
def test_a_child_believes_no_vault_that_lies(
    nursery: Nursery, terms: Terms, clip: bytes, twist: Twist, code: str
) -> None:
    nursery.vault.twist = twist
    assert nursery.run(nursery.seal(clip, terms), terms.to_bytes()).failure_code == code


def test_evidence_of_another_job_is_refused(nursery: Nursery, terms: Terms) -> None:
    nursery.vault.twist = GiveEvidenceOfTheFirstJob()
    upload = nursery.seal(b"", terms)
    assert nursery.run(upload, terms.to_bytes()).failure_code == "media_empty"
    assert nursery.run(upload, terms.to_bytes()).failure_code == "release_refused"


def processes_of(nursery: Nursery) -> list[psutil.Process]:
    return psutil.Process(nursery.process.pid).children(recursive=True)


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_killed_child_is_one_dead_job_and_the_next_one_works(
    nursery: Nursery, terms: Terms, clip: bytes, long_clip: bytes
) -> None:
    running, _folder = nursery.start(nursery.seal(long_clip, terms), terms.to_bytes())
    reports = running.reports()
    assert next(reports).progress.stage == "open"
    wait_until(lambda: len(processes_of(nursery)) == 2)
    child = max(processes_of(nursery), key=lambda process: process.ppid() != nursery.process.pid)
    child.kill()
    with pytest.raises(HostError) as caught:
        list(reports)
    assert caught.value.code == "worker_died"
    running.close()
    assert nursery.run(nursery.seal(clip, terms), terms.to_bytes()).result.media_type == "video/mp4"
    wait_until(lambda: not processes_of(nursery))


def test_a_stopped_job_ends_and_leaves_no_process(nursery: Nursery, terms: Terms, long_clip: bytes) -> None:
    running, folder = nursery.start(nursery.seal(long_clip, terms), terms.to_bytes())
    reports = running.reports()
    next(reports)
    running.stop()
    with pytest.raises(HostError) as caught:
        list(reports)
    assert caught.value.code == "worker_died"
    running.close()
    wait_until(lambda: not processes_of(nursery))
    running.stop()
    assert (folder / "result").read_bytes() == b""


def test_a_job_that_takes_too_long_is_ended(nursery: Nursery, terms: Terms, long_clip: bytes) -> None:
    slow = Terms(STREET, "original", terms.recipients)
    running, _folder = nursery.start(nursery.seal(long_clip, slow), slow.to_bytes(), max_wall_seconds=1)
    with pytest.raises(HostError) as caught:
        list(running.reports())
    assert caught.value.code == "worker_timeout"
    running.close()


LIMITS = {
    "result": ({"max_result_bytes": 4000}, "result_too_large"),
    "pixels": ({"max_frame_pixels": 100 * 100}, "media_too_large"),
    "frames": ({"max_frames": 3}, "media_too_long"),
}


@pytest.mark.parametrize(("limits", "code"), LIMITS.values(), ids=LIMITS.keys())
def test_a_limit_gives_its_code(
    nursery: Nursery, terms: Terms, clip: bytes, limits: dict[str, int], code: str
) -> None:
    assert nursery.run(nursery.seal(clip, terms), terms.to_bytes(), **limits).failure_code == code


def test_too_little_memory_is_a_failure_and_no_result(nursery: Nursery, terms: Terms, clip: bytes) -> None:
    running, folder = nursery.start(nursery.seal(clip, terms), terms.to_bytes(), max_memory_bytes=16 << 20)
    ended = ""
    try:
        ended = list(running.reports())[-1].failure.code
    # A native library may give up by itself when it gets no memory.
    except HostError as failure:
        ended = failure.code
    running.close()
    assert ended in {"out_of_memory", "internal_error", "detector_failed", "media_corrupt", "worker_died"}
    assert (folder / "result").read_bytes() == b""


def test_two_jobs_run_side_by_side(
    nursery: Nursery, me: HybridIdentity, terms: Terms, clip: bytes, tmp_path: Path
) -> None:
    picture = face_image(tmp_path / "face.png").read_bytes()
    video, video_folder = nursery.start(nursery.seal(clip, terms), terms.to_bytes())
    still, still_folder = nursery.start(nursery.seal(picture, terms), terms.to_bytes())
    assert list(still.reports())[-1].result.media_type == "image/png"
    assert list(video.reports())[-1].result.media_type == "video/mp4"
    assert opened((video_folder / "result").read_bytes(), me)[4:8] == b"ftyp"
    assert opened((still_folder / "result").read_bytes(), me).startswith(b"\x89PNG")
    video.close()
    still.close()


def test_no_descriptor_stays_behind(nursery: Nursery, terms: Terms) -> None:
    upload = nursery.seal(b"", terms)
    open_files = psutil.Process(nursery.process.pid).num_fds
    wait_until(lambda: not processes_of(nursery))
    before = open_files()
    for _ in range(10):
        assert nursery.run(upload, terms.to_bytes()).failure_code == "media_empty"
    wait_until(lambda: open_files() == before)


def test_a_job_that_runs_already_is_not_started_again(
    nursery: Nursery, terms: Terms, long_clip: bytes
) -> None:
    upload, job_id = nursery.seal(long_clip, terms), bytes(range(16))
    first, _folder = nursery.start(upload, terms.to_bytes(), job_id=job_id)
    second, _folder = nursery.start(upload, terms.to_bytes(), job_id=job_id)
    assert [report.failure.code for report in second.reports()] == ["worker_not_ready"]
    first.stop()
    second.close()
    with pytest.raises(HostError):
        list(first.reports())
    first.close()


def test_without_a_vault_every_job_says_so(tmp_path: Path, terms: Terms, clip: bytes) -> None:
    with Nursery(tmp_path) as own:
        upload = own.seal(clip, terms)
        own.vault.leave()
        assert own.run(upload, terms.to_bytes()).failure_code == "vault_unavailable"


WITHOUT_USER_NAMESPACES = """
import pathlib, sys
from enclave.wall import identity, kernel
kernel.unshare(0x10000000)
pathlib.Path("/proc/sys/user/max_user_namespaces").write_text("0")
identity.drop_capabilities()
from enclave.nursery.__main__ import main
sys.exit(main())
"""


def test_a_whole_job_works_where_user_namespaces_are_refused(
    nursery: Nursery, tmp_path: Path, me: HybridIdentity, terms: Terms, clip: bytes
) -> None:
    if "user_namespace" in nursery.host.hello().missing_walls:
        pytest.skip("user namespaces are refused here: every other test shows it")
    with Nursery(tmp_path, ("-c", WITHOUT_USER_NAMESPACES)) as own:
        hello = own.host.hello()
        assert {"user_namespace", "pid_namespace", "empty_root"} <= set(hello.missing_walls)
        require_floor(hello.walls)
        finished = own.run(own.seal(clip, terms), terms.to_bytes())
        assert set(own.vault.requests[-1].walls) == set(hello.walls)
        assert opened(finished.sealed, me)[4:8] == b"ftyp"


def test_nothing_of_a_job_outlives_the_warm_parent(tmp_path: Path, terms: Terms, long_clip: bytes) -> None:
    with Nursery(tmp_path) as own:
        running, _folder = own.start(own.seal(long_clip, terms), terms.to_bytes())
        next(running.reports())
        wait_until(lambda: len(processes_of(own)) == 2)
        family = processes_of(own)
    wait_until(lambda: not any(process.is_running() for process in family))
    running.close()


def test_a_killed_warm_parent_takes_its_children_along(
    tmp_path: Path, terms: Terms, long_clip: bytes
) -> None:
    own = Nursery(tmp_path)
    running, _folder = own.start(own.seal(long_clip, terms), terms.to_bytes())
    reports = running.reports()
    next(reports)
    wait_until(lambda: len(processes_of(own)) == 2)
    family = processes_of(own)
    own.process.kill()
    own.process.wait()
    with pytest.raises(HostError) as caught:
        list(reports)
    assert caught.value.code == "worker_died"
    wait_until(lambda: not any(process.is_running() for process in family))
    with pytest.raises(HostError) as lost:
        own.start(b"", terms.to_bytes())
    assert lost.value.code == "worker_lost"
    running.close()
    own.host.close()


def test_a_full_disk_is_named(nursery: Nursery, terms: Terms, clip: bytes) -> None:
    upload = nursery.seal(clip, terms)
    running, _folder = nursery.start(upload, terms.to_bytes(), {"result": Path("/dev/full")})
    assert list(running.reports())[-1].failure.code == "storage_full"
    running.close()
