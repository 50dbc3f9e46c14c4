"""`bauta template`: who holds which file, and what each of them can do with it."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from console import output
from console.main import app
from console.matching import matching_for
from enclave.policy import parse_policy, shipped
from grpc_api.client.matching import Matching
from grpc_api.errors import ServiceError
from keyvault import key_file
from keyvault.age import PassphraseRecipient
from keyvault.errors import KeyvaultError
from keyvault.key_file import KeyFileError
from keyvault.templates.errors import TemplateError
from keyvault.templates.package import TemplatePackage
from keyvault.templates.templates import enrol
from tests.made_speech import SENTENCES, spoken
from tests.sound_factory import as_file
from tests.unit.keyvault.templates.template_makers import SMALL, TRANSFORM, VOICES, enrolled, owner, vectors

PASSPHRASE = "a passphrase\n"


class Desk:
    """A folder and the command line."""

    def __init__(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.folder, self._capsys, self._monkeypatch = folder, capsys, monkeypatch
        # Sealing by a passphrase takes a second by design; here it takes none.
        monkeypatch.setattr(key_file, "PassphraseRecipient", partial(PassphraseRecipient, work_factor=10))

    def path(self, name: str) -> Path:
        return self.folder / name

    def run(self, *words: object, passphrase: str = PASSPHRASE) -> tuple[int, dict[str, Any]]:
        """One command, with a passphrase on its standard input."""
        self._monkeypatch.setattr(output.MODE, "as_json", False)
        self._monkeypatch.setattr("sys.stdin", io.StringIO(passphrase))
        code = app(["template", *map(str, words), "--json"], standalone_mode=False)
        return code, json.loads(self._capsys.readouterr().out)


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def test_from_an_owners_key_to_a_score_and_again_with_a_transform(desk: Desk) -> None:
    key, context = desk.path("owner.key"), desk.path("owner.key.context")
    _, made = desk.run("init", "-o", key)
    assert made["context"] == str(context)
    assert key.stat().st_mode & 0o777 == 0o600
    hers, hers_again, his = (
        as_file(desk.path(name), spoken(*voice, words))
        for name, voice, words in [
            ("a.wav", ("f1", 60), " ".join(SENTENCES[:2])),
            ("b.wav", ("f1", 60), " ".join(SENTENCES[2:])),
            ("c.wav", ("m3", 55), " ".join(SENTENCES[2:])),
        ]
    )
    template, secret = desk.path("her.template"), desk.path("secret.key")
    assert desk.run("enroll", context, "--voice", hers, "-o", template)[1]["kind"] == "voice"
    compared = ("--voice", hers_again, "--voice", his)
    _, told = desk.run("match", context, template, *compared, "-o", desk.path("scores"))
    assert [row["file"] for row in told["rows"]] == [str(hers_again), str(his)]
    code, read = desk.run("open", key, desk.path("scores"), "--threshold", 0.99)
    (scores,) = (each["scores"] for each in read["templates"])
    assert scores[0] > scores[1] + 0.02
    assert (code, read["reached"]) == (1, False)
    assert desk.run("open", key, desk.path("scores"), "--threshold", scores[0] - 0.01)[0] == 0
    changed = desk.path("her.1.template")
    desk.run("transform", context, template, "--key", secret, "--new-key", "-o", changed)
    again = desk.path("scores.1")
    desk.run("match", context, changed, *compared, "--transform", secret, "-o", again)
    _, read = desk.run("open", key, again)
    assert read["templates"][0]["scores"] == pytest.approx(scores, abs=2e-6)
    with pytest.raises(KeyFileError):
        desk.run("open", key, again, passphrase="another\n")


@pytest.fixture
def files(desk: Desk) -> Desk:
    """What the owner gave away: the context, and a template of nobody."""
    desk.path("context").write_bytes(owner()[1].encoded)
    desk.path("template").write_bytes(enrolled(VOICES).to_bytes())
    return desk


def test_what_cannot_be_is_refused_before_anything_is_made(files: Desk) -> None:
    context, template, out = files.path("context"), files.path("template"), files.path("out")
    voice = files.path("voice.wav")
    voice.write_bytes(b"no sound")
    wrong_usage = {
        "nothing to look for": ("enroll", context, "-o", out),
        "faces and voices": ("enroll", context, "--voice", voice, "--face", voice, "-o", out),
        "a recognizer for voices": ("enroll", context, "--voice", voice, "--recognizer", voice, "-o", out),
        "what is there already": ("enroll", context, "--voice", voice, "-o", template),
        "a folder that is not there": ("enroll", context, "--voice", voice, "-o", out / "in" / "it"),
        "a key that is there already": (
            *("transform", context, template, "--key", voice, "--new-key", "-o", out),
        ),
    }
    for name, words in wrong_usage.items():
        with pytest.raises(typer.TyperException) as caught:
            files.run(*words)
        assert caught.value.exit_code == 2, name
    with pytest.raises(ServiceError) as refused:
        files.run("enroll", context, "--voice", voice, "-o", out)
    assert refused.value.code == "sound_unreadable"
    with pytest.raises(TemplateError) as malformed:
        files.run("match", template, template, "--voice", voice, "-o", out)
    assert malformed.value.code == "template_malformed"
    with pytest.raises(KeyvaultError):
        files.run("transform", context, template, "--key", voice, "-o", out)
    assert not out.exists()


ALLOWED = parse_policy(shipped()["classroom"].text.replace("locked", 'matching = ["voice"]\nlocked', 1))


def test_a_submission_takes_a_context_and_templates_together(files: Desk) -> None:
    context, template = files.path("context"), files.path("template")
    matching = matching_for(context, [template, template], ALLOWED)
    package = TemplatePackage.from_bytes(matching.package)
    assert [each.sha256 for each in package.templates] == [enrolled(VOICES).sha256] * 2
    assert matching_for(None, None, ALLOWED) == Matching()
    for given in ((context, None), (None, [template]), (context, [])):
        with pytest.raises(typer.BadParameter):
            matching_for(*given, ALLOWED)
    with pytest.raises(typer.BadParameter):
        matching_for(context, [template], shipped()["classroom"])
    faces = files.path("faces")
    faces.write_bytes(enrol(owner()[1], SMALL, vectors(1, SMALL)[0]).to_bytes())
    with pytest.raises(typer.BadParameter):
        matching_for(context, [faces], ALLOWED)
    with pytest.raises(TemplateError) as caught:
        matching_for(context, [template, faces], ALLOWED)
    assert caught.value.code == "template_other_network"
    assert TRANSFORM.transform_id not in repr(matching)
