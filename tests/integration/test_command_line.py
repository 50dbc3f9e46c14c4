"""The command line as a user meets it: the main job, its exit codes, its words."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import media_factory
import pytest
from faces_seen import faces_in
from service_process import clean_environment

# The output, and what the command said about it.
Outcome = tuple[Path, dict[str, Any]]


class CommandLine:
    """Runs `bauta` with one data folder."""

    def __init__(self, program: list[str], data: Path) -> None:
        self._program = program
        self.data = data

    def __call__(self, *words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Runs one command."""
        return subprocess.run(
            [*self._program, *map(str, words)],
            capture_output=True,
            text=True,
            input=stdin,
            env={**clean_environment(), "BAUTA_DATA": str(self.data)},
            timeout=240,
        )

    def json(self, *words: object) -> dict[str, Any]:
        """Runs one command that must succeed, and reads its JSON."""
        done = self(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def run(bauta: list[str], tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    data = tmp_path_factory.mktemp("data")
    data.chmod(0o700)
    return CommandLine(bauta, data)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("media") / "a person's name.mp4", seconds=2)


@pytest.fixture(scope="module")
def submitted(run: CommandLine, clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    output = tmp_path_factory.mktemp("out") / "result.mp4"
    return output, run.json("submit", clip, "-o", output, "--opening", output.with_name("opening.json"))


def test_faces_are_there_before_and_gone_after(submitted: Outcome, clip: Path) -> None:
    output, report = submitted
    assert faces_in(clip) > 5, "the independent detector must see the face in the first place"
    assert faces_in(output) == 0
    assert report["frames"] == 48
    assert 0 < report["frames_with_faces"] <= 48


def test_both_commands_say_what_attackers_found(submitted: Outcome, run: CommandLine) -> None:
    output, report = submitted
    assert report["leaks_look"] == "sampled"
    assert 4 <= report["leaks"]["frames_attacked"] <= 48
    assert {report["leaks"][what] for what in ("faces_open", "frames_unchecked", "metadata_left")} == {0}
    assert set(report["independent"]) <= set(report["attackers"])
    statement = run.json("verify", output)["statement"]
    assert statement["leaks"] == report["leaks"]
    assert sorted(statement["attackers"]) == report["attackers"]
    told = run("verify", output).stdout.splitlines()[-2]
    looked = report["leaks"]["frames_attacked"]
    assert told.startswith(f"Attacked before it left: {looked} of 48 frames; a face open in 0")


def test_the_result_plays_in_another_decoder(submitted: Outcome) -> None:
    output, _ = submitted
    played = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-xerror", "-i", str(output), "-f", "null", "-"],
        capture_output=True,
        text=True,
    )
    assert (played.returncode, played.stderr) == (0, "")


def test_the_whistleblower_policy_makes_the_sound_anew(submitted: Outcome, clip: Path) -> None:
    output, report = submitted
    with av.open(str(clip)) as before, av.open(str(output)) as after:
        assert len(before.streams.audio) == 1
        assert len(after.streams.audio) == 1
    assert report["audio"] == "anonymized"
    assert set(report["sound_seconds"]) == {"anonymized"}


def test_nothing_stays_behind(submitted: Outcome, run: CommandLine) -> None:
    output, _ = submitted
    assert {path.name for path in output.parent.iterdir()} == {
        "result.mp4",
        "result.mp4.proof",
        "opening.json",
    }
    spool = run.data / "desk" / "spool"
    assert [path for path in spool.rglob("*") if path.is_file()] == []


def test_the_proof_verifies_and_names_nobody(submitted: Outcome, run: CommandLine, clip: Path) -> None:
    output, _ = submitted
    verdict = run.json("verify", output)
    assert verdict["verified"]
    left = {step["step"] for step in verdict["steps"] if step["status"] != "ok"}
    # This service asks nobody to vouch, and this policy wants no content credentials.
    assert left == {"checkpoint_witnessed", "timestamps_believed", "credentials_trusted"}
    proof = output.with_name("result.mp4.proof").read_bytes()
    payloads = proof + b"".join(
        base64.b64decode(envelope["payload"])
        for envelope in (json.loads(proof)["statement"], *json.loads(proof)["evidence"])
    )
    assert b"person" not in payloads
    assert hashlib.sha256(clip.read_bytes()).hexdigest().encode() not in payloads


def test_a_part_of_the_original_is_shown_and_the_rest_is_not(
    submitted: Outcome, run: CommandLine, clip: Path, tmp_path: Path
) -> None:
    output, report = submitted
    part, proof = tmp_path / "part.mkv", output.with_name("result.mp4.proof")
    asked = ["--opening", report["opening"], "--proof", proof, "--from", "0.5", "--to", "1.5", "-o", part]
    shown = run.json("reveal", clip, *asked)
    assert shown["part"]["frames"] | {"from_seconds": 0.5} == shown["part"]["frames"]
    verdict = run.json("verify", part)
    assert verdict["part"] == shown["part"]
    assert verdict["statement"]["job_id"] == report["job"]
    assert verdict["commitment"] == verdict["statement"]["pieces"] == shown["commitment"]


def test_a_lossless_job_is_proven_untouched_by_the_camera_that_recorded(
    run: CommandLine, tmp_path: Path
) -> None:
    film, result = media_factory.face_clip(tmp_path / "film.mp4", seconds=0.4), tmp_path / "evidence.mp4"
    camera = run.json("recording", "init", "-o", tmp_path / "camera.key")
    recorder = run.json("recording", "sign", film, "--key", tmp_path / "camera.key")["recorder"]
    assert film.with_name("film.mp4.opening").stat().st_mode & 0o077 == 0
    run.json("submit", film, "-o", result, "--policy", "evidence", "--recording", f"{film}.recording")
    trust = tmp_path / "trust.json"
    trust.write_text(json.dumps(json.loads((run.data / "trust.json").read_text()) | {"recorders": [camera]}))
    believed = ["--trust", trust, "--recording", f"{film}.recording"]
    verdict = run.json("verify", result, *believed)
    untouched = verdict["untouched"]
    assert verdict["recorder"] == recorder
    # All that no cover touched, of a clip with a face in every frame.
    assert untouched["tiles_proven"] == untouched["tiles"] - untouched["tiles_covered"]
    assert 0 < untouched["tiles_covered"] < untouched["tiles"] / 2
    assert untouched["tiles_differing"] == 0
    assert verdict["statement"]["untouched"]["tiles_open"] == untouched["tiles_proven"]

    result.with_name("evidence.mp4.proof").unlink()
    alone = run.json("verify", result, *believed)
    assert "statement" not in alone
    assert alone["untouched"] == untouched
    assert run("verify", result, "--trust", trust).returncode == 1


def test_the_original_is_proven_with_the_opening_and_only_with_it(
    submitted: Outcome, run: CommandLine, clip: Path, tmp_path: Path
) -> None:
    output, report = submitted
    opening = report["opening"]
    assert Path(opening).stat().st_mode & 0o077 == 0
    assert run.json("verify", output, "--original", clip, "--opening", opening)["verified"]
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes() + b"\0")
    refused = run("verify", output, "--original", other, "--opening", opening, "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["code"] == "not_the_original"
    assert run("verify", output, "--original", clip).returncode == 2


@pytest.mark.parametrize("part", ["result", "proof"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_one_flipped_bit_is_named(
    submitted: Outcome, run: CommandLine, tmp_path: Path, part: str, share: float
) -> None:
    output, _ = submitted
    copy = tmp_path / "copy.mp4"
    shutil.copy(output, copy)
    shutil.copy(f"{output}.proof", f"{copy}.proof")
    target = copy if part == "result" else Path(f"{copy}.proof")
    content = bytearray(target.read_bytes())
    content[int(share * (len(content) - 1))] ^= 1
    target.write_bytes(content)
    refused = run("verify", copy, "--json")
    verdict = json.loads(refused.stdout)
    assert refused.returncode == 1
    assert not verdict["verified"]
    failed = [step["step"] for step in verdict["steps"] if step["status"] == "failed"]
    assert failed == [verdict["failed_step"]]
    assert (part == "result") == (failed == ["result_matches"])


def test_made_sound_stays_in_step(run: CommandLine, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "classroom.mp4"
    report = run.json("submit", clip, "-o", output, "--policy", "classroom")
    assert report["audio"] == "anonymized"
    with av.open(str(output)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.duration is not None
        assert audio.duration is not None
        assert audio.time_base is not None
        assert abs(float(video.duration * video.time_base) - float(audio.duration * audio.time_base)) < 0.1


def test_a_picture_keeps_its_format(run: CommandLine, tmp_path: Path) -> None:
    source = media_factory.face_image(tmp_path / "face.png")
    report = run.json("submit", source, "-o", tmp_path / "covered.png")
    assert report["media_type"] == "image/png"
    assert (tmp_path / "covered.png").read_bytes().startswith(b"\x89PNG")
    assert faces_in(tmp_path / "covered.png") == 0 < faces_in(source)


USAGE = {
    "no command's word": (("sumbit",), ""),
    "no output": (("submit", "{clip}"), "--output"),
    "no such input": (("submit", "absent.mp4", "-o", "{out}/a.mp4"), "absent.mp4"),
    "no such policy": (("submit", "{clip}", "-o", "{out}/a.mp4", "--policy", "nobody"), "whistleblower"),
    "a mode that the policy refuses": (
        ("submit", "{clip}", "-o", "{out}/a.mp4", "--policy", "telehealth", "--mode", "fast"),
        "original",
    ),
    "a result of another kind": (("submit", "{clip}", "-o", "{out}/a.avi"), ".mp4"),
    "over its own input": (("submit", "{clip}", "-o", "{clip}"), "input"),
    "into no folder": (("submit", "{clip}", "-o", "{out}/no/a.mp4"), "folder"),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage_is_exit_2_and_says_why(name: str, run: CommandLine, clip: Path, tmp_path: Path) -> None:
    words, hint = USAGE[name]
    refused = run(*(word.format(clip=clip, out=tmp_path) for word in words), "--json")
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "usage"
    assert hint in error["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_failed_job_is_exit_1_with_the_code_and_leaves_nothing(run: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("this is no video, but it names Jane Doe")
    failed = run("submit", tmp_path / "text.mp4", "-o", tmp_path / "out.mp4", "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "media_unknown_format"
    assert "Jane" not in failed.stdout + failed.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"text.mp4"}


def test_plain_lines_when_it_is_not_a_terminal(run: CommandLine, clip: Path, tmp_path: Path) -> None:
    done = run("submit", clip, "-o", tmp_path / "out.mp4")
    assert done.returncode == 0
    assert "\x1b" not in done.stderr + done.stdout
    assert "anonymizing" in done.stderr
    assert done.stdout.startswith(str(tmp_path / "out.mp4"))


def test_keygen_seal_open(run: CommandLine, tmp_path: Path) -> None:
    made = run.json("keygen", "-o", tmp_path / "me.key")
    key_file = (tmp_path / "me.key").read_text()
    assert (tmp_path / "me.key").stat().st_mode & 0o777 == 0o600
    assert f"# public key: {made['recipient']}" in key_file
    assert "AGE-SECRET-KEY-PQ-1" in key_file
    assert run("keygen", "-o", tmp_path / "me.key").returncode == 2, "an identity is never overwritten"
    (tmp_path / "plain").write_bytes(b"secret" * 50_000)
    assert run("seal", tmp_path / "plain", tmp_path / "sealed", "-r", made["recipient"]).returncode == 0
    opened = run("open", tmp_path / "sealed", "-i", tmp_path / "me.key", "-o", tmp_path / "again")
    assert opened.returncode == 0, opened.stderr
    assert (tmp_path / "again").read_bytes() == (tmp_path / "plain").read_bytes()
    damaged = bytearray((tmp_path / "sealed").read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "sealed").write_bytes(damaged)
    refused = run("open", tmp_path / "sealed", "-i", tmp_path / "me.key", "-o", tmp_path / "half", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "age_payload_corrupt"
    assert not (tmp_path / "half").exists()


def test_the_result_reaches_the_identity_that_was_named(run: CommandLine, clip: Path, tmp_path: Path) -> None:
    run.json("keygen", "-o", tmp_path / "me.key")
    report = run.json("submit", clip, "-o", tmp_path / "out.mp4", "--identity", tmp_path / "me.key")
    assert report["frames"] == 48


def test_policies(run: CommandLine, tmp_path: Path) -> None:
    listed = {policy["name"] for policy in run.json("policy", "list")["policies"]}
    assert listed == {"whistleblower", "telehealth", "classroom", "street", "evidence"}
    text = run("policy", "show", "telehealth").stdout
    assert text.startswith("#")
    own = tmp_path / "own.toml"
    own.write_text(text.replace('name = "telehealth"', 'name = "our-clinic"'))
    assert run.json("policy", "check", own)["name"] == "our-clinic"
    own.write_text(text + "\nsurprise = 1\n")
    refused = run("policy", "check", own, "--json")
    assert refused.returncode == 1
    assert "surprise" in json.loads(refused.stdout)["error"]["message"]


def test_doctor_says_what_protects(run: CommandLine) -> None:
    report = run.json("doctor")
    assert report["tier"] == "process"
    assert {"seccomp", "landlock_fs"} <= set(report["walls"])
    assert report["models"]["centerface"]
    assert report["device"] in {"cpu", "cuda"}


@pytest.mark.parametrize(
    "command", ["submit", "serve", "verify", "keygen", "seal", "open", "doctor", "policy"]
)
def test_every_command_has_help(run: CommandLine, command: str) -> None:
    shown = run(command, "--help")
    assert shown.returncode == 0
    assert "Usage" in shown.stdout


def test_a_data_folder_that_others_can_read_is_refused(bauta: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    refused = CommandLine(bauta, folder)("doctor", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["error"]["code"] == "data_folder_open"
