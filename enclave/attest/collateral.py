"""Collateral: the vendor's public files that a document needs or may be held against. Files, never a network.

    *.pem *.crt *.cer *.der   certificates (a PEM file may also hold revocation lists)
    *.crl                     one revocation list
    *.json                    Intel's TDX TCB info or QE identity, as its provisioning service sends it

Whatever is here is untrusted: a certificate counts only in a chain to a pinned root, a list or a JSON only
with the vendor's signature.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from enclave.attest.certificates import load_certificate, load_pem, load_revocation_list
from enclave.attest.errors import EvidenceError

MAX_FILES = 64
MAX_FILE_BYTES = 1 << 20

_CERTIFICATE_SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der"})
_SUFFIXES = _CERTIFICATE_SUFFIXES | {".crl", ".json"}
_MALFORMED = "evidence_collateral_malformed"
_TCB_INFO = b'{"tcbInfo":'
_QE_IDENTITY = b'{"enclaveIdentity":'


@dataclass(frozen=True)
class Collateral:
    """The files, sorted by kind; well formed, not yet believed.

    Attributes:
        certificates: in no particular order.
        revocation_lists: in no particular order.
        tcb_info: Intel's TDX TCB info, as it was sent; None when there is none.
        qe_identity: Intel's TD QE identity, as it was sent; None when there is none.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    revocation_lists: tuple[x509.CertificateRevocationList, ...] = ()
    tcb_info: bytes | None = None
    qe_identity: bytes | None = None

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Collateral:
        """Sorts files by their suffix and content.

        Args:
            files: content by name.

        Raises:
            EvidenceError: `evidence_collateral_malformed`; a file is not what its suffix says, or a kind of
                JSON is there twice.
        """
        certificates: list[x509.Certificate] = []
        lists: list[x509.CertificateRevocationList] = []
        documents: dict[bytes, bytes] = {}
        for name, untrusted in files.items():
            suffix = Path(name).suffix.lower()
            if suffix == ".json":
                kind = next((k for k in (_TCB_INFO, _QE_IDENTITY) if untrusted.startswith(k)), None)
                if kind is None or kind in documents:
                    raise EvidenceError(
                        "a JSON file is no TCB info or QE identity as Intel sends it, or a second one",
                        _MALFORMED,
                    )
                documents[kind] = untrusted
            elif untrusted.lstrip().startswith(b"-----BEGIN "):
                some, more = load_pem(untrusted, _MALFORMED)
                certificates += some
                lists += more
            elif suffix == ".crl":
                lists.append(load_revocation_list(untrusted, _MALFORMED))
            elif suffix in _CERTIFICATE_SUFFIXES:
                certificates.append(load_certificate(untrusted, _MALFORMED))
        return cls(tuple(certificates), tuple(lists), documents.get(_TCB_INFO), documents.get(_QE_IDENTITY))

    @classmethod
    def from_folder(cls, folder: Path) -> Collateral:
        """Reads a folder that was made for this. Files of other suffixes are left alone.

        Raises:
            EvidenceError: `evidence_collateral_malformed`; as for `from_files`, or too many or too large
                files.
            OSError: a file cannot be read.
        """
        return cls.from_files(_read_files(folder, _SUFFIXES))

    @classmethod
    def beside(cls, document: Path) -> Collateral:
        """Reads the certificates that happen to lie beside a document; what is none is passed over.

        Only certificates: leaving one out can never make a document pass, whereas a revocation list or a TCB
            info
        that is passed over could.

        Raises:
            EvidenceError: `evidence_collateral_malformed`; there are too many or too large files.
            OSError: a file cannot be read.
        """
        found: list[x509.Certificate] = []
        for name, untrusted in _read_files(document.absolute().parent, _CERTIFICATE_SUFFIXES).items():
            try:
                found += cls.from_files({name: untrusted}).certificates
            except EvidenceError:
                continue
        return cls(certificates=tuple(found))


def read_regular_file(path: Path, max_bytes: int, code: str = "evidence_too_large") -> bytes:
    """Reads a file whose size is capped; a pipe or a device is refused instead of waited for.

    Raises:
        EvidenceError: with `code`; it is larger, or not a regular file.
        OSError: it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise EvidenceError("this is not a regular file", code)
        content = stream.read(max_bytes + 1)
    if len(content) > max_bytes:
        raise EvidenceError(f"the file is larger than {max_bytes} bytes", code)
    return content


def _read_files(folder: Path, suffixes: frozenset[str]) -> dict[str, bytes]:
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file())
    if len(paths) > MAX_FILES:
        raise EvidenceError(f"the folder holds more than {MAX_FILES} files of collateral", _MALFORMED)
    return {path.name: read_regular_file(path, MAX_FILE_BYTES, _MALFORMED) for path in paths}
