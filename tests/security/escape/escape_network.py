"""Ways to speak to somebody: every family of sockets, and the one socket that a job does have."""

from __future__ import annotations

import ctypes
import struct
from functools import partial

from attempt import FILTER, KILLED, rows
from raw_calls import call

from enclave.worker.handed_over import UPLOAD_FD, VAULT_FD

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK = 1, 2, 10, 16, 17, 38, 40
STREAM, DATAGRAM, RAW, SEQPACKET = 1, 2, 3, 5


def inet_address(port: int) -> ctypes.Array[ctypes.c_char]:
    """struct sockaddr_in of the loopback."""
    return ctypes.create_string_buffer(
        struct.pack("=H", AF_INET) + port.to_bytes(2, "big") + b"\x7f\0\0\1", 16
    )


def unix_address(path: bytes) -> ctypes.Array[ctypes.c_char]:
    """struct sockaddr_un."""
    return ctypes.create_string_buffer(struct.pack("=H", AF_UNIX) + path, 2 + len(path))


def speak(family: int, kind: int, address: ctypes.Array[ctypes.c_char], protocol: int = 0) -> None:
    """Makes a socket and connects it."""
    call("connect", call("socket", family, kind, protocol), address, len(address))


def make(family: int, kind: int, protocol: int = 0) -> None:
    """Makes a socket; with most families that alone reaches code of the kernel that no job needs."""
    call("socket", family, kind, protocol)


def serve() -> None:
    """Waits to be called instead of calling."""
    fd = call("socket", AF_INET, STREAM, 0)
    call("bind", fd, inet_address(4444), 16)
    call("listen", fd, 1)


def pair() -> None:
    """A pair of sockets carries descriptors."""
    call("socketpair", AF_UNIX, STREAM, 0, ctypes.create_string_buffer(8))


def turn_vault_channel(name: str) -> None:
    """Makes something else of the one socket that it has."""
    address = unix_address(b"/tmp/elsewhere")
    if name == "listen":
        call("listen", VAULT_FD, 1)
    else:
        call(name, VAULT_FD, address, len(address))


def accept_on_vault_channel() -> None:
    """Takes a new channel out of the old one."""
    call("accept4", VAULT_FD, 0, 0, 0)


def hand_upload_to_vault() -> None:
    """Sends the vault a descriptor (SCM_RIGHTS), so that it holds ciphertext beside the keys."""
    control = ctypes.create_string_buffer(struct.pack("=QiiiI", 20, 1, 1, UPLOAD_FD, 0))
    message = struct.pack("=QQQQQQQ", 0, 0, 0, 0, ctypes.addressof(control), len(control), 0)
    call("sendmsg", VAULT_FD, ctypes.create_string_buffer(message), 0)


def send_elsewhere() -> None:
    """A datagram to an address of its choice."""
    address = inet_address(53)
    call("sendto", VAULT_FD, b"secret", 6, 0, address, 16)


ATTEMPTS = rows(
    KILLED,
    FILTER,
    {
        "connect over TCP": partial(speak, AF_INET, 1, inet_address(22)),
        "send a UDP packet": partial(speak, AF_INET, 2, inet_address(53)),
        "speak IPv6": partial(make, AF_INET6, STREAM),
        "send raw packets": partial(make, AF_INET, RAW, 1),
        "read the wire (packet socket)": partial(make, AF_PACKET, RAW),
        "speak to the kernel (netlink)": partial(make, AF_NETLINK, RAW),
        "speak to the hypervisor (vsock)": partial(make, AF_VSOCK, STREAM),
        "borrow the kernel's crypto (AF_ALG)": partial(make, AF_ALG, SEQPACKET),
        "connect to a Unix socket by path": partial(speak, AF_UNIX, 1, unix_address(b"/run/x\0")),
        "connect to an abstract Unix socket": partial(speak, AF_UNIX, 1, unix_address(b"\0x")),
        "make a pair of sockets": pair,
        "bind a port and listen": serve,
        "reconnect the vault's channel": partial(turn_vault_channel, "connect"),
        "rebind the vault's channel": partial(turn_vault_channel, "bind"),
        "listen on the vault's channel": partial(turn_vault_channel, "listen"),
        "accept from the vault's channel": accept_on_vault_channel,
        "hand the vault a descriptor": hand_upload_to_vault,
        "send a datagram through the vault's channel": send_elsewhere,
    },
)
