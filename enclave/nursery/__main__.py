"""The command `python -m enclave.nursery`."""

from __future__ import annotations

import argparse
import signal
import socket
import sys

from enclave.errors import EnclaveError
from enclave.nursery.environment import prepare_environment


def main() -> int:
    """Serves until the front desk closes its end; 0 then, 1 when the wall or the models cannot be had."""
    arguments = _arguments()
    # An interrupt from the keyboard is for the supervisor, which then closes the channel.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare_environment()
    # Only now: these imports load the native libraries.
    from anonymizer.errors import AnonymizerError
    from enclave.nursery.parent import serve

    front = socket.socket(fileno=arguments.front_fd)
    vault = socket.socket(fileno=arguments.vault_fd)
    try:
        return serve(front, vault)
    except (AnonymizerError, EnclaveError) as reason:
        sys.stderr.write(f"bauta worker host: {reason.code}: {reason}\n")
    except (BrokenPipeError, ConnectionResetError):
        sys.stderr.write("bauta worker host: channel_lost: the front desk or the vault went away\n")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m enclave.nursery", description="The warm worker host.")
    parser.add_argument("--front-fd", type=int, required=True, help="socket to the front desk")
    parser.add_argument("--vault-fd", type=int, required=True, help="socket to the vault")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
