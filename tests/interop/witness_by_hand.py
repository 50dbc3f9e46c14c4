"""Logs and witnesses written from the specifications alone, with `cryptography` and the standard library.

RFC 6962, and c2sp.org signed-note, tlog-checkpoint, tlog-cosignature and tlog-witness. Nothing of ours is
imported here.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def root_of(leaves: list[bytes]) -> bytes:
    """MTH(D[n]), RFC 6962, 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\1" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def consistency_of(old: int, leaves: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b), RFC 6962, 2.1.2."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if old <= k:
        return [*consistency_of(old, leaves[:k], whole), root_of(leaves[k:])]
    return [*consistency_of(old - k, leaves[k:], False), root_of(leaves[:k])]


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    """RFC 9162, 2.1.4.2, for 0 < old < new."""
    path = ([old_root] if old & (old - 1) == 0 else []) + proof
    if not path:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr = hashlib.sha256(b"\1" + c + fr).digest()
            sr = hashlib.sha256(b"\1" + c + sr).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = hashlib.sha256(b"\1" + sr + c).digest()
        fn, sn = fn >> 1, sn >> 1
    return fr == old_root and sr == new_root and sn == 0


def key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def vkey(name: str, kind: int, public: bytes) -> str:
    return f"{name}+{key_id(name, kind, public).hex()}+{b64(bytes([kind]) + public)}"


def line(name: str, kind: int, public: bytes, signature: bytes) -> str:
    return f"— {name} {b64(key_id(name, kind, public) + signature)}\n"


def cosigned_message(name: str, origin: str, time: int, size: int, root: bytes) -> bytes:
    """What ML-DSA-44 signs (tlog-cosignature, cosigned_message)."""
    head = b"subtree/v1\n\0" + bytes([len(name.encode())]) + name.encode() + struct.pack(">Q", time)
    return head + bytes([len(origin.encode())]) + origin.encode() + struct.pack(">QQ", 0, size) + root


@dataclass
class HandLog:
    """A log with one Ed25519 key, or an ML-DSA-44 key besides."""

    origin: str
    leaves: list[bytes] = field(default_factory=list)
    with_mldsa44: bool = False
    ed25519: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    mldsa44: MLDSA44PrivateKey = field(default_factory=MLDSA44PrivateKey.generate)

    @property
    def vkeys(self) -> list[str]:
        made = [vkey(self.origin, 1, self.ed25519.public_key().public_bytes_raw())]
        if self.with_mldsa44:
            made.append(vkey(self.origin, 6, self.mldsa44.public_key().public_bytes_raw()))
        return made

    def text(self, size: int, root: bytes | None = None, extension: str = "") -> str:
        root = root_of(self.leaves[:size]) if root is None else root
        return f"{self.origin}\n{size}\n{b64(root)}\n{extension}"

    def signed(self, text: str, time: int = 1_800_000_000) -> str:
        """The note, signed with every key."""
        public = self.ed25519.public_key().public_bytes_raw()
        note = f"{text}\n{line(self.origin, 1, public, self.ed25519.sign(text.encode()))}"
        if self.with_mldsa44:
            _, size, root, *_ = text.split("\n")
            message = cosigned_message(self.origin, self.origin, time, int(size), base64.b64decode(root))
            signature = struct.pack(">Q", time) + self.mldsa44.sign(message)
            note += line(self.origin, 6, self.mldsa44.public_key().public_bytes_raw(), signature)
        return note

    def note(self, size: int, **changes: object) -> str:
        return self.signed(self.text(size, **changes))  # type: ignore[arg-type]  # two named ones

    def body(self, old: int, size: int, note: str | None = None) -> bytes:
        """An honest add-checkpoint request."""
        proof = consistency_of(old, self.leaves[:size]) if old else []
        hashes = "".join(f"{b64(item)}\n" for item in proof)
        return f"old {old}\n{hashes}\n{note or self.note(size)}".encode()


def holds(note: str, answered: str, vkeys: list[str]) -> list[int]:
    """Verifies every line of a witness's answer; the times, in the order of the keys."""
    text = note.rpartition("\n\n")[0] + "\n"
    origin, size, root = text.split("\n")[:3]
    times = []
    for wanted in vkeys:
        name, number, material = wanted.split("+", 2)
        kind, public = base64.b64decode(material)[0], base64.b64decode(material)[1:]
        found = [item for item in answered.splitlines() if item.startswith(f"— {name} ")]
        blobs = [base64.b64decode(item.rpartition(" ")[2]) for item in found]
        (blob,) = [blob for blob in blobs if blob[:4].hex() == number]
        time = struct.unpack(">Q", blob[4:12])[0]
        try:
            if kind == 4:
                message = f"cosignature/v1\ntime {time}\n{text}".encode()
                Ed25519PublicKey.from_public_bytes(public).verify(blob[12:], message)
            else:
                message = cosigned_message(name, origin, time, int(size), base64.b64decode(root))
                MLDSA44PublicKey.from_public_bytes(public).verify(blob[12:], message)
        except InvalidSignature:
            raise AssertionError(f"the line by {wanted[:40]} is false") from None
        times.append(time)
    return times


class HandWitness(ThreadingHTTPServer):
    """A witness of one log by its Ed25519 key, to the letter of tlog-witness; it may also lie.

    Args:
        name: its own.
        log_vkey: of type 0x01.
        kind: 4 or 6, what it cosigns with.
    """

    daemon_threads = True

    def __init__(self, name: str, log_vkey: str, kind: int = 4) -> None:
        self.name, self.kind = name, kind
        self.origin, self.log_id, material = log_vkey.split("+", 2)
        self.log_key = Ed25519PublicKey.from_public_bytes(base64.b64decode(material)[1:])
        self.signer = Ed25519PrivateKey.generate() if kind == 4 else MLDSA44PrivateKey.generate()
        self.size, self.root = 0, hashlib.sha256(b"").digest()
        self.asked: list[bytes] = []
        self.misbehave: dict[str, object] = {}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Hand)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Ends it; its thread, on a closed socket, would find that ready for ever and never rest."""
        self.shutdown()
        self.server_close()

    @property
    def vkey(self) -> str:
        return vkey(self.name, self.kind, self.signer.public_key().public_bytes_raw())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/some/prefix"

    def answer(self, body: bytes) -> tuple[int, str, str]:
        """Status, content type and body for one add-checkpoint."""
        try:
            head, _, note = body.decode().partition("\n\n")
            old_line, *lines = head.split("\n")
            text, _, signatures = note.rpartition("\n\n")
            origin, size_text, root_text = text.split("\n")
            old, size, root = int(old_line.removeprefix("old ")), int(size_text), base64.b64decode(root_text)
            proof = [base64.b64decode(item) for item in lines]
        except ValueError:
            return 400, "text/plain", "malformed\n"
        if origin != self.origin:
            return 404, "text/plain", "unknown log\n"
        blobs = [base64.b64decode(item.rpartition(" ")[2]) for item in signatures.splitlines()]
        mine = [blob[4:] for blob in blobs if blob[:4].hex() == self.log_id]
        try:
            self.log_key.verify(mine[0], f"{text}\n".encode())
        except (IndexError, InvalidSignature):
            return 403, "text/plain", "not signed\n"
        with self.lock:
            if old > size:
                return 400, "text/plain", "old is larger\n"
            if old != self.size:
                return 409, "text/x.tlog.size", f"{self.size}\n"
            if old == size:
                sound = root == self.root and not proof
            elif old == 0:
                sound = not proof
            else:
                sound = is_consistent(old, size, self.root, root, proof)
            if not sound:
                return 422, "text/plain", "inconsistent\n"
            self.size, self.root = size, root
        return 200, "text/plain", self.cosign(text + "\n", origin, size, root)

    def cosign(self, text: str, origin: str, size: int, root: bytes, time: int = 1_800_000_100) -> str:
        public = self.signer.public_key().public_bytes_raw()
        if self.kind == 4:
            signature = self.signer.sign(f"cosignature/v1\ntime {time}\n{text}".encode())
        else:
            signature = self.signer.sign(cosigned_message(self.name, origin, time, size, root))
        return line(self.name, self.kind, public, struct.pack(">Q", time) + signature)


class _Hand(BaseHTTPRequestHandler):
    server: HandWitness

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(body)
        lie = self.server.misbehave.get("answer")
        if callable(lie):
            lie(self, body)
            return
        status, kind, content = (
            self.server.answer(body)
            if self.path == "/some/prefix/add-checkpoint"
            else (404, "text/plain", "")
        )
        self.reply(status, kind, content.encode())

    def reply(self, status: int, kind: str, content: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass
