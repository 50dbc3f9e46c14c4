"""Strange bytes where a release, a key or a RECORD is expected: an error of ours, or a value."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from enclave.dependencies import _digests
from keyvault.release_key import ReleaseKey, ReleaseKeyError
from provenance.errors import ProvenanceError
from provenance.statements import WorkerReleaseFacts
from provenance.trust import format_public_key, parse_public_key

SOUND = WorkerReleaseFacts(
    measurement="0" * 64,
    version="0.1.0",
    models={"centerface": "1" * 64},
    policies={"street": "2" * 64},
    lock_sha256="3" * 64,
    released_at="2026-11-20T09:00:00Z",
).to_statement()
KEY = ReleaseKey.generate()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
UNTRUSTED = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())


def test_the_seeds_are_sound() -> None:
    assert WorkerReleaseFacts.from_statement(SOUND).to_statement() == SOUND
    assert parse_public_key(format_public_key(KEY.signer.public)) == KEY.signer.public


@given(st.sampled_from(sorted(json.loads(SOUND)["predicate"])), JSON)
def test_a_release_with_any_other_value_in_a_field(field: str, value: object) -> None:
    content = json.loads(SOUND)
    content["predicate"][field] = value
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    with suppress(ProvenanceError):
        facts = WorkerReleaseFacts.from_statement(text.encode("utf-8", "surrogatepass"))
        assert facts.to_statement() == text.encode()


@given(st.integers(0, len(SOUND) - 1), st.integers(0, 255))
def test_a_release_with_another_byte(offset: int, byte: int) -> None:
    changed = bytearray(SOUND)
    changed[offset] = byte
    with suppress(ProvenanceError):
        assert WorkerReleaseFacts.from_statement(bytes(changed)).to_statement() == bytes(changed)


@given(UNTRUSTED)
@example(b"{}")
def test_any_bytes_as_a_public_key(untrusted: bytes) -> None:
    with suppress(ProvenanceError):
        parse_public_key(untrusted)


@given(UNTRUSTED)
@example(b"age-encryption.org/v1\n-> scrypt ")
def test_any_bytes_as_a_private_key(untrusted: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(untrusted)
        file.flush()
        with suppress(ReleaseKeyError):
            ReleaseKey.read(Path(file.name), lambda: "passphrase")


@given(st.text(max_size=300))
@example('"a, b.py",sha256=AA,1\r\n')
@example('"unfinished')
@example('"a,b,c')
@example('"a\0",sha256=AA,1')
@example('"two\\nlines')
@example(",,\n,\n\n")
def test_any_text_as_a_record(record: str) -> None:
    for path, digest in _digests(record).items():
        assert not path.startswith(("..", "/"))
        assert isinstance(digest, str)
