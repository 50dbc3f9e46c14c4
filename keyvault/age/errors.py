"""What can be wrong with an age file or its keys. Messages name the defect, never the bytes."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class AgeError(KeyvaultError):
    """An age file, recipient or identity cannot be used."""

    code = "age_error"


class AgeHeaderError(AgeError):
    """The header breaks the grammar, a cap, or the rules of a recipient type."""

    code = "age_header_invalid"


class AgeHeaderMacError(AgeError):
    """A file key came out, but the header's MAC is not the one it makes: the header was changed."""

    code = "age_header_mac_invalid"


class AgeNoMatchError(AgeError):
    """No identity at hand opens this file."""

    code = "age_no_identity_matches"


class AgePayloadCorruptError(AgeError):
    """A chunk of the payload does not authenticate, or there is data after the last one."""

    code = "age_payload_corrupt"


class AgePayloadTruncatedError(AgeError):
    """The payload ends before its final chunk."""

    code = "age_payload_truncated"


class AgeArmorError(AgeError):
    """The ASCII armor is not strict PEM with the age label."""

    code = "age_armor_invalid"


class AgeRecipientError(AgeError):
    """A public key is malformed or unsafe, or there are none or too many of them."""

    code = "age_recipient_invalid"


class AgeMixedRecipientsError(AgeRecipientError):
    """These recipients must not share one file."""

    code = "age_recipients_mixed"


class AgeIdentityError(AgeError):
    """A private key or an identity file is malformed."""

    code = "age_identity_invalid"
