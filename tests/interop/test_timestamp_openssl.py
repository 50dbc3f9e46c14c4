"""Tokens that we keep, checked by `openssl ts` alone; and tokens that `openssl ts` makes, checked by us.

The authority here is `openssl ts -reply` behind a small HTTP server, without `-chain`.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from console.main import app
from grpc_api.timestamps import TimeAuthorities
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.timestamps import read_timestamps
from provenance.tokens import read_token
from tests.time_authority import STAMPED_AT, time_authority
from tests.time_server import Asked, Talk, serving
from tests.unit.provenance.provenance_makers import House, make_house

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl program")

KEYS = {
    "rsa": ["-newkey", "rsa:2048"],
    "p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
}
CONFIGURATION = """
[tsa]
default_tsa = here
[here]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = {digest}
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1, millisecs:500
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {binding}
"""


def openssl(*arguments: str | Path, given: bytes = b"") -> bytes:
    """Runs it; what it printed."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, timeout=240)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class OpensslAuthority:
    """A time-stamping authority that is `openssl ts`, in a folder of its own."""

    folder: Path

    @property
    def root(self) -> Path:
        """Its root's certificate, PEM."""
        return self.folder / "root.pem"

    @property
    def root_der(self) -> bytes:
        """The same, as a trust file has it."""
        return x509.load_pem_x509_certificate(self.root.read_bytes()).public_bytes(Encoding.DER)

    def __call__(self, talk: Talk, asked: Asked) -> None:
        """Stamps."""
        query = self.folder / "query"
        query.write_bytes(asked.body)
        at = self.folder / "tsa.cnf"
        talk.answer(openssl("ts", "-reply", "-queryfile", query, "-config", at, "-out", "/dev/stdout"))


def make_authority(folder: Path, kind: str, digest: str, binding: str) -> OpensslAuthority:
    """An authority with a key of this kind."""
    folder.mkdir()
    made = OpensslAuthority(folder)
    key = [*KEYS[kind], "-nodes", "-sha256"]
    openssl(
        *("req", "-x509", *key, "-keyout", folder / "root.key", "-out", made.root),
        *("-days", "30", "-subj", f"/O=Bauta test/CN=Root {kind} {digest}"),
    )
    openssl("req", *key, "-keyout", folder / "tsa.key", "-out", folder / "csr", "-subj", "/CN=Clock")
    (folder / "use").write_text("extendedKeyUsage = critical,timeStamping\n")
    openssl(
        *("x509", "-req", "-in", folder / "csr", "-CA", made.root, "-CAkey", folder / "root.key"),
        *("-sha256", "-days", "20", "-extfile", folder / "use", "-set_serial", "7"),
        *("-out", folder / "tsa.pem"),
    )
    (folder / "serial").write_text("10\n")
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder, digest=digest, binding=binding))
    return made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> OpensslAuthority:
    return make_authority(tmp_path_factory.mktemp("tsa") / "here", "rsa", "sha512", "sha1")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture(scope="module")
def stamped(authority: OpensslAuthority, house: House) -> ProofFile:
    """A proof with a token by `openssl ts`."""
    with serving(authority) as server:
        return ProofFile.from_bytes(
            TimeAuthorities((server.url,), (authority.root_der,), 120).stamp(house.prove_job())
        )


@pytest.mark.parametrize(
    ("kind", "digest", "binding"),
    [
        ("rsa", "sha256", "sha1"),
        ("rsa", "sha512", "sha256"),
        ("p256", "sha256", "sha1"),
        ("p256", "sha384", "sha512"),
    ],
)
def test_a_token_by_openssl_is_accepted(
    kind: str, digest: str, binding: str, house: House, tmp_path: Path
) -> None:
    authority = make_authority(tmp_path / "tsa", kind, digest, binding)
    statement = ProofFile.from_bytes(house.prove_job()).statement
    with serving(authority) as server:
        (answer,) = TimeAuthorities((server.url,), (authority.root_der,), 120).ask(statement)
    assert answer.code == ""
    assert answer.token is not None
    (stamp,) = read_timestamps([answer.token], statement.digest, [authority.root_der])
    assert stamp.root is not None
    assert stamp.token.accuracy is not None
    assert stamp.token.accuracy.total_seconds() == 1.5


def test_openssl_accepts_what_is_taken_out_of_a_proof_by_the_command_that_we_print(
    stamped: ProofFile,
    authority: OpensslAuthority,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    proof = tmp_path / "result.mp4.proof"
    proof.write_bytes(stamped.to_bytes())
    parts = tmp_path / "parts of it"
    assert app(["proof", "show", str(proof), "--extract", str(parts)], standalone_mode=False) == 0
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("openssl ")]
    assert len(printed) == len(stamped.timestamps) == 1
    command = [str(authority.root) if word == "ROOT.pem" else word for word in shlex.split(printed[0])]
    assert "Verification: OK" in _verified(*command[1:])
    by_token = ["ts", "-verify", "-digest", stamped.statement.digest.hex(), "-token_in"]
    by_token += ["-in", str(parts / "timestamp-1.tst"), "-CAfile", str(authority.root)]
    assert "Verification: OK" in _verified(*by_token)
    statement = parts / "statement.dsse.json"
    assert stamped.statement.digest.hex() in openssl("dgst", "-sha256", statement).decode()
    statement.write_bytes(statement.read_bytes() + b"\n")
    assert "Verification: FAILED" in _verified(*command[1:])


def test_a_stranger_finds_the_stamped_bytes_in_the_proof_without_our_code(
    stamped: ProofFile, tmp_path: Path, repository: Path
) -> None:
    """By the recipes of docs/timestamps.md, as they stand there."""
    manual = (repository / "docs" / "timestamps.md").read_text()
    proof = tmp_path / "proof"
    proof.write_bytes(stamped.to_bytes())
    recipe = manual.split("```python\n")[1].split("```")[0]
    found = [subprocess.run([sys.executable, "-c", recipe, proof], capture_output=True, check=True).stdout]
    assert "`jq -cSj .statement FILE.proof`" in manual
    if shutil.which("jq"):
        jq = ["jq", "-cSj", ".statement", proof]
        found.append(subprocess.run(jq, capture_output=True, check=True).stdout)
    for signed in found:
        assert openssl("dgst", "-sha256", "-binary", given=signed) == stamped.statement.digest
    assert read_token(stamped.timestamps[0]).imprint == stamped.statement.digest


def test_openssl_and_we_refuse_the_same(
    stamped: ProofFile, authority: OpensslAuthority, tmp_path: Path
) -> None:
    (token,) = stamped.timestamps
    digest = stamped.statement.digest
    other = make_authority(tmp_path / "other", "p256", "sha256", "sha1")
    flipped = bytearray(token)
    flipped[-10] ^= 1
    cases = {
        "as it is": (token, digest, authority),
        "other data": (token, bytes(32), authority),
        "another root": (token, digest, other),
        "a flipped byte": (bytes(flipped), digest, authority),
    }
    accepted = {}
    for name, (der, wanted, believed) in cases.items():
        (tmp_path / "token").write_bytes(der)
        arguments = ["ts", "-verify", "-digest", wanted.hex(), "-token_in", "-in", str(tmp_path / "token")]
        accepted[name] = "Verification: OK" in _verified(*arguments, "-CAfile", str(believed.root))
        assert accepted[name] == _we_believe(der, wanted, believed.root_der), name
    assert accepted == {**dict.fromkeys(cases, False), "as it is": True}


def _we_believe(token: bytes, digest: bytes, root: bytes) -> bool:
    try:
        (stamp,) = read_timestamps([token], digest, [root])
    except ProvenanceError:
        return False
    return stamp.root is not None


def test_openssl_accepts_the_authority_that_the_other_tests_play(tmp_path: Path) -> None:
    """Or a test could pass because what it plays is no token at all."""
    played = time_authority()
    (tmp_path / "root.pem").write_bytes(played.root.public_bytes(Encoding.PEM))
    (tmp_path / "token").write_bytes(played.stamp(bytes(32)))
    arguments = ["ts", "-verify", "-digest", bytes(32).hex(), "-token_in", "-in", str(tmp_path / "token")]
    arguments += ["-CAfile", str(tmp_path / "root.pem")]
    for at, expected in ((STAMPED_AT, "OK"), (STAMPED_AT.replace(year=2035), "FAILED")):
        verified = _verified(*arguments, "-attime", str(int(at.timestamp())))
        assert f"Verification: {expected}" in verified


def test_an_older_openssl_certificate_without_a_critical_use_is_refused_by_us_too(tmp_path: Path) -> None:
    """`openssl ts -reply` itself refuses to sign with one."""
    authority = make_authority(tmp_path / "tsa", "p256", "sha256", "sha1")
    (authority.folder / "use").write_text("extendedKeyUsage = timeStamping\n")
    openssl(
        *("x509", "-req", "-in", authority.folder / "csr", "-CA", authority.root),
        *("-CAkey", authority.folder / "root.key", "-days", "20", "-set_serial", "8"),
        *("-extfile", authority.folder / "use", "-out", authority.folder / "tsa.pem"),
    )
    query = authority.folder / "query"
    openssl("ts", "-query", "-digest", bytes(32).hex(), "-sha256", "-cert", "-out", query)
    asked = [
        "openssl",
        "ts",
        "-reply",
        "-queryfile",
        str(query),
        "-config",
        str(authority.folder / "tsa.cnf"),
    ]
    done = subprocess.run(asked, capture_output=True, timeout=240)
    assert done.returncode != 0
    lax = time_authority("lax", critical=False)
    with pytest.raises(ProvenanceError) as caught:
        read_token(lax.stamp(bytes(32)))
    assert caught.value.code == "timestamp_wrong_key_use"


def _verified(*arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=240)
    assert ("Verification: OK" in done.stdout) == (done.returncode == 0)
    return done.stdout + done.stderr


def test_an_expired_authority_still_proves_what_it_stamped(stamped: ProofFile, house: House) -> None:
    """Nothing here asks what time it is now: the token's own time is what its certificate must cover."""
    played = time_authority()
    proof = replace(stamped, timestamps=(played.stamp(stamped.statement.digest),))
    (stamp,) = read_timestamps(proof.timestamps, proof.statement.digest, [played.root_der])
    assert stamp.root is not None
    assert stamp.token.certificate.not_valid_after_utc.year == 2029
