"""What instructions say of matching: that a package of encrypted templates stands in the upload.

    "matching": n        its length in bytes

The package stands between the pictures of who is enrolled and the media (keyvault/templates/package.py). What
comes of it, encrypted scores, lies beside the sealed result.
"""

from __future__ import annotations

from typing import Final

# A context and eight templates are seven.
MAX_MATCHING_BYTES: Final = 8 << 20
# Eight ciphertexts of 128 KiB, their description, and the seal around them.
MAX_SEALED_SCORES_BYTES: Final = 2 << 20
# What may be matched.
MATCHED: Final = ("face", "voice")
