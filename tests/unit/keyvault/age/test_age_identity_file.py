"""Identity files as age-keygen writes them."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from keyvault.age import (
    AgeIdentityError,
    HybridIdentity,
    X25519Identity,
    format_identity_file,
    parse_identity_file,
    write_identity_file,
)

HYBRID = HybridIdentity.generate()
CLASSIC = X25519Identity.generate()


@pytest.mark.parametrize("identity", [HYBRID, CLASSIC], ids=["hybrid", "classic"])
def test_the_text_is_age_keygens(identity: HybridIdentity | X25519Identity) -> None:
    text = format_identity_file(identity, datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC))
    assert text.split("\n") == [
        "# created: 2026-03-04T05:06:07Z",
        f"# public key: {identity.recipient}",
        identity.encode(),
        "",
    ]
    assert [each.encode() for each in parse_identity_file(text)] == [identity.encode()]


def test_a_time_keeps_its_zone() -> None:
    created = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=timezone(timedelta(hours=2)))
    assert format_identity_file(HYBRID, created).startswith("# created: 2026-03-04T05:06:07+02:00\n")


def test_several_identities_with_comments_empty_lines_and_windows_newlines() -> None:
    text = f"# mine\r\n\r\n{HYBRID.encode()}\r\n#{CLASSIC.encode()}\r\n{CLASSIC.encode()}"
    assert [each.encode() for each in parse_identity_file(text)] == [HYBRID.encode(), CLASSIC.encode()]


REFUSED = {
    "empty": "",
    "comments alone": "# created: now\n# public key: age1\n",
    "a recipient": f"{HYBRID.recipient}\n",
    "a space before": f" {HYBRID.encode()}\n",
    "a space after": f"{HYBRID.encode()} \n",
    "cut short": HYBRID.encode()[:-1],
    "one good and one bad": f"{HYBRID.encode()}\nAGE-SECRET-KEY-1NONSENSE\n",
    "a plugin's identity": "AGE-PLUGIN-YUBIKEY-1QQQQQQQ\n",
    "lines parted by form feeds": f"{HYBRID.encode()}\f{CLASSIC.encode()}",
    "far too large": "#" * 2_000_000,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(text: str) -> None:
    with pytest.raises(AgeIdentityError) as caught:
        parse_identity_file(text)
    assert "AGE-SECRET-KEY-1N" not in str(caught.value)
    assert HYBRID.encode()[:-1] not in str(caught.value)


def test_the_error_names_the_line() -> None:
    with pytest.raises(AgeIdentityError, match="line 3"):
        parse_identity_file(f"# x\n{HYBRID.encode()}\nnonsense\n")


def test_a_written_file_is_its_owners_alone_and_never_overwrites(tmp_path: Path) -> None:
    path = tmp_path / "key.txt"
    write_identity_file(path, HYBRID)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.encode() for each in parse_identity_file(path.read_text())] == [HYBRID.encode()]
    with pytest.raises(FileExistsError):
        write_identity_file(path, CLASSIC)
    assert HYBRID.encode() in path.read_text()


def test_a_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "key.txt").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_identity_file(tmp_path / "key.txt", HYBRID)
    assert not (tmp_path / "elsewhere").exists()
