"""The age v1 file format (c2sp.org/age), on top of `cryptography` alone.

- `header`: the textual header, strict and canonical, and its MAC.
- `keys`: what recipients and identities are; wrapping and unwrapping the file key; who may share a file.
- `x25519`, `hybrid`, `passphrase`: the recipient types. New keys are hybrid (ML-KEM-768 with X25519).
- `chunks`: one chunk of a payload; `reading`: from beginning to end; `random_access`: here and there.
- `armor`: the ASCII form. `files`: whole files, sealed and opened. `identity_file`: keys as text.
- `bech32`, `streams`: small helpers. `errors`: what can be wrong.

Everything runs in constant memory, and no byte of a chunk comes out before the chunk is authenticated.
"""

from keyvault.age.armor import ArmorReader, ArmorWriter
from keyvault.age.errors import (
    AgeArmorError,
    AgeError,
    AgeHeaderError,
    AgeHeaderMacError,
    AgeIdentityError,
    AgeMixedRecipientsError,
    AgeNoMatchError,
    AgePayloadCorruptError,
    AgePayloadTruncatedError,
    AgeRecipientError,
)
from keyvault.age.files import SealWriter, open_sealed, seal, without_armor
from keyvault.age.header import FILE_KEY_BYTES, MAX_HEADER_BYTES, Header, Stanza, parse_header, read_header
from keyvault.age.hybrid import HybridIdentity, HybridRecipient
from keyvault.age.identity_file import (
    format_identity_file,
    parse_identity,
    parse_identity_file,
    parse_recipient,
    write_identity_file,
)
from keyvault.age.keys import Identity, Recipient, unwrap_file_key, wrap_file_key
from keyvault.age.passphrase import PassphraseIdentity, PassphraseRecipient
from keyvault.age.random_access import PayloadReader
from keyvault.age.reading import PayloadStream, open_chunks
from keyvault.age.x25519 import X25519Identity, X25519Recipient

__all__ = [
    "FILE_KEY_BYTES",
    "MAX_HEADER_BYTES",
    "AgeArmorError",
    "AgeError",
    "AgeHeaderError",
    "AgeHeaderMacError",
    "AgeIdentityError",
    "AgeMixedRecipientsError",
    "AgeNoMatchError",
    "AgePayloadCorruptError",
    "AgePayloadTruncatedError",
    "AgeRecipientError",
    "ArmorReader",
    "ArmorWriter",
    "Header",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "PassphraseIdentity",
    "PassphraseRecipient",
    "PayloadReader",
    "PayloadStream",
    "Recipient",
    "SealWriter",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "format_identity_file",
    "open_chunks",
    "open_sealed",
    "parse_header",
    "parse_identity",
    "parse_identity_file",
    "parse_recipient",
    "read_header",
    "seal",
    "unwrap_file_key",
    "without_armor",
    "wrap_file_key",
    "write_identity_file",
]
