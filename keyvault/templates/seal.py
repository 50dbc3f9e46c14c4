"""Residues into SEAL and out again, in memory.

SEAL reads streams in a form of its own, in C++: with lengths, flags, scales and compressed parts. A
stranger's stream never gets there. What we read is numbers, each checked (`residues`); the stream around them
is written here, with lengths of our own, uncompressed. SEAL checks it once more. Nothing touches a file, so
all of this works where no path can be opened.

Layouts: SEAL 4.3, `native/src/seal/{serialization.h,ciphertext.cpp,kswitchkeys.cpp,encryptionparams.cpp}`;
the protocol buffers around them: TenSEAL, `tenseal/proto/*.proto`. The tests show that the libraries take
these streams and give the same numbers back.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
import tenseal
from tenseal import sealapi

from keyvault.templates.errors import malformed
from keyvault.templates.parameters import GALOIS_ELEMENTS, PRIMES, RING
from keyvault.templates.residues import Residues, pack_residues

DATA_PRIMES: Final = len(PRIMES) - 1

_HEADER = struct.Struct("<HBBBBHQ")
_MAGIC = 0xA15E
_VERSION = (4, 3)
_UNCOMPRESSED = 0
_CKKS = 2
_IN_NTT_FORM = 1
_CORRECTION_FACTOR = 1
_ONE_THREAD = 1
_SEED_WORDS = 8
# Of SEAL's and TenSEAL's refusals.
_REFUSALS = (ValueError, RuntimeError, IndexError, TypeError)

ParmsId = list[int]


@dataclass(frozen=True)
class Seal:
    """SEAL's objects for one set of keys.

    Attributes:
        keeper: TenSEAL's context, which the others live in.
        context: SEAL's.
        evaluator, encoder: without any key.
    """

    keeper: Any
    context: Any
    evaluator: Any
    encoder: Any

    def parms_id(self, primes: int) -> ParmsId:
        """What SEAL calls the step of the ladder with so many primes."""
        data = self.context.first_context_data()
        for _ in range(DATA_PRIMES - primes):
            data = data.next_context_data()
        return list(data.parms_id())

    def ciphertext(self, residues: Residues, scale: float) -> Any:
        """Gives a ciphertext to SEAL.

        Args:
            residues: (2, primes, RING), checked.
            scale: of what is encrypted.

        Raises:
            TemplateError: template_malformed, where SEAL refuses it after all.
        """
        primes = residues.shape[1]
        stream = _stream(_ciphertext_body(residues, self.parms_id(primes), scale))
        message = _field(1, bytes([1])) + _field(2, stream)
        try:
            return tenseal.ckks_vector_from(self.keeper, message + _double(3, scale)).data.ciphertext()[0]
        except _REFUSALS:
            raise malformed("ciphertext") from None

    def encrypt(self, plaintext: Any) -> Any:
        """Encrypts with the public key."""
        made = sealapi.Ciphertext()
        self._encryptor().encrypt(plaintext, made)
        return made

    def encrypt_zero(self, primes: int) -> Any:
        """Encrypts zero with the public key, at a step of the ladder."""
        made = sealapi.Ciphertext()
        self._encryptor().encrypt_zero(self.parms_id(primes), made)
        return made

    def _encryptor(self) -> Any:
        """What encrypts, once.

        SEAL would open /dev/urandom by its path, which no job can behind its wall. With a seed of our own
        every encryption draws the same numbers anew: so there is a seed for each.
        """
        seed = np.frombuffer(os.urandom(_SEED_WORDS * 8), np.uint64).tolist()
        seeded = _seal_context_with(sealapi.Blake2xbPRNGFactory(seed))
        return sealapi.Encryptor(seeded, self.keeper.data.public_key())

    def plaintext(self, values: Iterable[float] | Iterable[complex], primes: int, scale: float) -> Any:
        """Encodes a number for each slot."""
        made = sealapi.Plaintext()
        self.encoder.encode(list(values), self.parms_id(primes), scale, made)
        return made


def residues_of(ciphertext: Any) -> Residues:
    """Gives SEAL's numbers of a ciphertext of two polynomials: (2, primes, RING)."""
    primes = ciphertext.coeff_modulus_size()
    return _numbers(ciphertext, ciphertext.size() * primes * RING).reshape(-1, primes, RING)


def generate() -> tuple[Residues, Residues, Residues]:
    """Draws keys: secret (1, 4, RING), public (2, 4, RING), and Galois keys.

    Returns:
        The three; Galois keys as (rotations x parts x 2, 4, RING), in the order of GALOIS_ELEMENTS.
    """
    context = _seal_context()
    generator = sealapi.KeyGenerator(context)
    public, galois = sealapi.PublicKey(), sealapi.GaloisKeys()
    generator.create_public_key(public)
    generator.create_galois_keys(list(GALOIS_ELEMENTS), galois)
    # What `data` gives lives in its key alone: a key that nothing holds takes its numbers with it.
    drawn = generator.secret_key()
    secret = _numbers(drawn.data(), len(PRIMES) * RING).reshape(1, -1, RING)
    parts = [residues_of(key.data()) for element in GALOIS_ELEMENTS for key in galois.key(element)]
    return secret, residues_of(public.data()), np.concatenate(parts)


def open_context(public: Residues, galois: Residues) -> Seal:
    """Gives public keys to SEAL.

    Args:
        public, galois: as `generate` gives them, checked.

    Raises:
        TemplateError: template_malformed, where SEAL refuses them after all.
    """
    of_keys = list(_seal_context().key_parms_id())
    keys = _field(1, _stream(_ciphertext_body(public, of_keys, 1.0)))
    keys += _double(3, 1.0) + _field(5, _stream(_galois_body(galois, of_keys)))
    keeper = _keeper(_field(2, keys))
    context = keeper.data.seal_context()
    return Seal(keeper, context, sealapi.Evaluator(context), sealapi.CKKSEncoder(context))


def open_secret(secret: Residues) -> Any:
    """Gives a secret key to SEAL: what keeps it, whose `data.secret_key()` is the key.

    Raises:
        TemplateError: template_malformed, where SEAL refuses it after all.
    """
    of_keys = list(_seal_context().key_parms_id())
    plain = struct.pack("<4QQd", *of_keys, secret.size, 1.0) + _array(secret)
    return _keeper(_field(2, _double(3, 1.0)) + _field(3, _field(1, _stream(plain))))


def _keeper(keys: bytes) -> Any:
    try:
        return tenseal.context_from(_field(1, _stream(_parameters_body())) + keys, n_threads=_ONE_THREAD)
    except _REFUSALS:
        raise malformed("key") from None


@cache
def _seal_context() -> Any:
    return _seal_context_with(None)


def _seal_context_with(generator: Any) -> Any:
    """SEAL's context without keys. It refuses parameters with less than 128-bit security."""
    parameters = sealapi.EncryptionParameters(sealapi.SCHEME_TYPE.CKKS)
    parameters.set_poly_modulus_degree(RING)
    parameters.set_coeff_modulus([sealapi.Modulus(prime) for prime in PRIMES])
    if generator is not None:
        parameters.set_random_generator(generator)
    return sealapi.SEALContext(parameters, True, sealapi.SEC_LEVEL_TYPE.TC128)


def _numbers(of: Any, count: int) -> Residues:
    return np.fromiter((of[place] for place in range(count)), np.uint64, count)


def _stream(body: bytes) -> bytes:
    header = _HEADER.pack(_MAGIC, _HEADER.size, *_VERSION, _UNCOMPRESSED, 0, _HEADER.size + len(body))
    return header + body


def _array(residues: Residues) -> bytes:
    return _stream(struct.pack("<Q", residues.size) + pack_residues(residues))


def _ciphertext_body(residues: Residues, parms_id: ParmsId, scale: float) -> bytes:
    polynomials, primes, _ = residues.shape
    form = struct.pack(
        "<4QB3QdQ", *parms_id, _IN_NTT_FORM, polynomials, RING, primes, scale, _CORRECTION_FACTOR
    )
    return form + _array(residues)


def _galois_body(galois: Residues, parms_id: ParmsId) -> bytes:
    """A place for every rotation there could be; those that there are have one public key a data prime."""
    each = galois.reshape(len(GALOIS_ELEMENTS), DATA_PRIMES, 2, len(PRIMES), RING)
    keys: Mapping[int, Residues] = dict(zip(map(_galois_place, GALOIS_ELEMENTS), each, strict=True))
    body = [struct.pack("<4QQ", *parms_id, RING)]
    for place in range(RING):
        parts = keys.get(place, ())
        body.append(struct.pack("<Q", len(parts)))
        body.extend(_stream(_ciphertext_body(part, parms_id, 1.0)) for part in parts)
    return b"".join(body)


def _galois_place(element: int) -> int:
    return (element - 1) // 2


def _parameters_body() -> bytes:
    primes = b"".join(_stream(struct.pack("<Q", prime)) for prime in (*PRIMES, 0))
    return struct.pack("<BQQ", _CKKS, RING, len(PRIMES)) + primes


def _field(number: int, content: bytes) -> bytes:
    """A field of a protocol buffer that holds bytes."""
    length, left = bytearray(), len(content)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([number << 3 | 2]) + bytes(length) + content


def _double(number: int, value: float) -> bytes:
    return bytes([number << 3 | 1]) + struct.pack("<d", value)
