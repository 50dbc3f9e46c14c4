"""What a recipient and an identity are, and how a header is made for the ones and opened by the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from keyvault.age.errors import AgeHeaderError, AgeMixedRecipientsError, AgeNoMatchError, AgeRecipientError
from keyvault.age.header import MAX_HEADER_BYTES, MAX_STANZAS, Header, Stanza, make_header

CLASSIC: Final = "classic"
POST_QUANTUM: Final = "postquantum"
ALONE: Final = "alone"
"""The label of a passphrase: it shares a file with nobody, not even with another passphrase."""


class Recipient(Protocol):
    """Someone a file can be sealed to."""

    @property
    def label(self) -> str:
        """CLASSIC, POST_QUANTUM or ALONE: only recipients of one label may share a file."""

    def wrap(self, file_key: bytes) -> Stanza:
        """Wraps a 16-byte file key for this recipient alone."""


class Identity(Protocol):
    """Someone who can open what was sealed to them."""

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Finds the file key among the stanzas; None when none of them is for this identity.

        Raises:
            AgeHeaderError: a stanza of this identity's kind breaks the rules of its kind.
        """


def wrap_file_key(file_key: bytes, recipients: Sequence[Recipient]) -> Header:
    """Makes the header of a file for these recipients.

    One recipient that a quantum computer can break would open the file for everyone, so classic and
    post-quantum recipients never share one (c2sp.org/age; age and typage refuse the same).

    Raises:
        AgeMixedRecipientsError: these recipients must not share a file.
        AgeRecipientError: none, or more than a header holds.
    """
    if not recipients:
        raise AgeRecipientError("at least one recipient is needed")
    if len(recipients) > MAX_STANZAS:
        raise AgeRecipientError(f"a file has at most {MAX_STANZAS} recipients")
    labels = {recipient.label for recipient in recipients}
    if labels == {CLASSIC, POST_QUANTUM}:
        raise AgeMixedRecipientsError("post-quantum and classic recipients cannot share a file")
    if len(labels) > 1 or (ALONE in labels and len(recipients) > 1):
        raise AgeMixedRecipientsError("a passphrase must be the only recipient of a file")
    header = make_header(file_key, tuple(recipient.wrap(file_key) for recipient in recipients))
    if len(header.raw) > MAX_HEADER_BYTES:
        raise AgeRecipientError("the recipients do not fit one header")
    return header


def unwrap_file_key(header: Header, identities: Sequence[Identity]) -> bytes:
    """Finds the file key that one of the identities can open, and checks the header's MAC with it.

    Returns:
        The 16-byte file key.

    Raises:
        AgeNoMatchError: none of the identities opens this file.
        AgeHeaderMacError: the header was changed after it was sealed.
        AgeHeaderError: a stanza breaks the rules of its kind.
    """
    if len(header.stanzas) > 1 and any(stanza.kind == "scrypt" for stanza in header.stanzas):
        # Whoever knows the passphrase must be sure that only such a person can have made the file.
        raise AgeHeaderError("a passphrase stanza must be alone in the header")
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return file_key
    raise AgeNoMatchError("no identity at hand opens this file")
