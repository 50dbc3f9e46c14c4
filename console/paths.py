"""Where things lie on a user's machine."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path

from grpc_api.errors import ServiceError, precondition


def data_folder(given: Path | None) -> Path:
    """`--data`, else BAUTA_DATA, else the user's data folder; made with mode 0700.

    Raises:
        ServiceError: `data_folder_open` when others may read it.
    """
    folder = given or (Path(os.environ["BAUTA_DATA"]) if os.environ.get("BAUTA_DATA") else None)
    folder = (folder or user_data_path("bauta")).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = folder.stat().st_mode
    except OSError as error:
        raise _folder_error(error) from None
    if mode & 0o077:
        raise precondition(
            "data_folder_open",
            "The data folder can be read by others; `chmod 700` it, since it holds the vault's keys.",
        )
    return folder


def _folder_error(error: OSError) -> ServiceError:
    return precondition("data_folder_unusable", f"The data folder cannot be used: {error.strerror}.")
