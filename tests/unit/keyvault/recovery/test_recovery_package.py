"""The recovery package: narrow opening, nothing else derivable, erasing for good, all kinds of damage."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import struct
from collections.abc import Callable

import pytest
from cryptography.exceptions import InvalidTag

from keyvault.recovery import layout, schedule
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import HEADER_BYTES, read_frame
from keyvault.recovery.reader import PackageReader, Scope
from keyvault.recovery.ring import RecoveryRing
from keyvault.recovery.writer import PackageWriter, WrittenPackage

CONTEXT = hashlib.sha256(b"job").digest()
KEY = hashlib.sha256(b"recovery key").digest()
SECONDS = 20


def pixels(track: int, second: int, part: int) -> bytes:
    """What somebody looked like, and when."""
    return f"track {track} second {second} part {part} ".encode() * 30


def write(key: bytes = KEY, context: bytes = CONTEXT) -> tuple[bytes, WrittenPackage]:
    """Two people for twenty seconds, two entries a second; one of them also speaks."""
    sink = io.BytesIO()
    writer = PackageWriter(sink, key, context)
    for second in range(SECONDS):
        for track in (7, 3):
            for part in (0, 1):
                writer.add(track, 1000 * second + 500 * part, "pixels", pixels(track, second, part))
        if second >= 2:
            # Sound comes later than the picture that it belongs to.
            writer.add(7, 1000 * (second - 2), "sound", f"voice {second - 2}".encode())
    written = writer.close()
    return sink.getvalue(), written


def open_scope(
    package: bytes, written: WrittenPackage, track: int, *stretches: tuple[int, int]
) -> list[bytes]:
    reader = PackageReader(io.BytesIO(package))
    scope = reader.narrow(track, written.ring.track_key(KEY, track), stretches)
    return [opened.plaintext for opened in reader.open(scope)]


def test_one_track_and_ten_seconds_open_and_nothing_else() -> None:
    package, written = write()
    found = open_scope(package, written, 3, (5000, 15000))
    assert found == [pixels(3, second, part) for second in range(5, 15) for part in (0, 1)]


@pytest.mark.parametrize(
    ("stretch", "seconds"),
    [
        ((0, 1), [0]),
        ((999, 1000), [0]),
        ((999, 1001), [0, 1]),
        ((1000, 2000), [1]),
        ((19_000, 99_000), [19]),
        ((20_000, 30_000), []),
        ((0, 86_400_000), list(range(SECONDS))),
    ],
)
def test_segments_are_taken_whole(stretch: tuple[int, int], seconds: list[int]) -> None:
    package, written = write()
    expected = [pixels(3, second, part) for second in seconds for part in (0, 1)]
    assert open_scope(package, written, 3, stretch) == expected


def test_stretches_add_up_and_sound_comes_along_under_its_kind() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    scope = reader.narrow(7, written.ring.track_key(KEY, 7), [(0, 1000), (4000, 5000)])
    found = [(opened.segment, opened.kind) for opened in reader.open(scope)]
    assert sorted(found) == sorted([(n, kind) for n in (0, 4) for kind in ("pixels", "pixels", "sound")])


def test_the_keys_of_a_scope_open_no_other_segment_and_no_other_track() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    everything = {
        track: reader.narrow(track, written.ring.track_key(KEY, track), [(0, 10**9)]) for track in (3, 7)
    }
    scope = reader.narrow(3, written.ring.track_key(KEY, 3), [(5000, 6000)])
    assert set(scope.keys) == {5}
    outside = 0
    for track, whole in everything.items():
        for entry in whole.entries:
            if (track, entry.segment) == (3, 5):
                continue
            forced = Scope(track, (entry,), {entry.segment: scope.keys[5]})
            with pytest.raises(RecoveryError) as refused:
                list(reader.open(forced))
            assert refused.value.code == "package_entry_damaged"
            outside += 1
    assert outside == 4 * SECONDS + (SECONDS - 2) - 2


def test_every_key_of_a_package_is_another() -> None:
    track_keys = {track: schedule.new_track_key() for track in (3, 7)}
    keys = [KEY, *track_keys.values()]
    for track, track_key in track_keys.items():
        keys.append(schedule.table_key(track_key, CONTEXT, track))
        keys += [schedule.segment_key(track_key, CONTEXT, track, segment) for segment in range(50)]
        # The same numbers in another job or another track are other keys.
        keys.append(schedule.segment_key(track_key, bytes(32), track, 0))
        keys.append(schedule.segment_key(track_key, CONTEXT, track + 1, 0))
    assert len(set(keys)) == len(keys)


def test_the_schedule_is_the_documented_one() -> None:
    """HKDF-SHA256 written out with hashlib alone (RFC 5869, 2)."""
    import hmac

    info = b"bauta.recovery/v1\0segment\0" + CONTEXT + struct.pack(">II", 3, 5)
    extracted = hmac.new(bytes(32), KEY, "sha256").digest()
    assert schedule.segment_key(KEY, CONTEXT, 3, 5) == hmac.new(extracted, info + b"\x01", "sha256").digest()


def test_no_two_entries_share_key_and_number() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    seen = []
    for track in reader.tracks:
        scope = reader.narrow(track, written.ring.track_key(KEY, track), [(0, 10**9)])
        seen += [(scope.keys[entry.segment], entry.number) for entry in scope.entries]
    assert len(seen) == 4 * SECONDS + SECONDS - 2
    assert len(set(seen)) == len(seen)


def test_an_erased_track_is_gone_even_for_who_has_the_recovery_key() -> None:
    package, written = write()
    named = written.ring.digests([3])
    assert named == (hashlib.sha256(written.ring.wrapped[3] or b"").hexdigest(),)
    left = RecoveryRing.from_bytes(written.ring.without([3]).to_bytes())
    with pytest.raises(RecoveryError) as refused:
        left.track_key(KEY, 3)
    assert refused.value.code == "track_erased"
    with pytest.raises(RecoveryError) as refused:
        left.without([3])
    assert refused.value.code == "track_erased"
    # The other one opens as before.
    reader = PackageReader(io.BytesIO(package))
    assert list(reader.open(reader.narrow(7, left.track_key(KEY, 7), [(0, 1000)])))
    # Nothing that is left gives the key: not the other track's, not the recovery key itself.
    for key in (KEY, left.track_key(KEY, 7), schedule.segment_key(KEY, CONTEXT, 3, 0)):
        with pytest.raises(RecoveryError) as refused:
            reader.narrow(3, key, [(0, 1000)])
        assert refused.value.code == "package_key_wrong"


def test_the_ring_opens_with_its_own_recovery_key_and_job_alone() -> None:
    _, written = write()
    wrapped = written.ring.wrapped[3]
    changed = {
        "another recovery key": (written.ring, bytes(32), 3),
        "another job": (RecoveryRing(bytes(32), written.ring.wrapped), KEY, 3),
        "another track's wrapped key": (RecoveryRing(CONTEXT, {3: written.ring.wrapped[7]}), KEY, 3),
        "a flipped bit": (
            RecoveryRing(CONTEXT, {3: bytes([(wrapped or b"")[0] ^ 1]) + (wrapped or b"")[1:]}),
            KEY,
            3,
        ),
    }
    for name, (ring, key, track) in changed.items():
        with pytest.raises(RecoveryError) as refused:
            ring.track_key(key, track)
        assert refused.value.code == "package_key_wrong", name
    with pytest.raises(RecoveryError) as refused:
        written.ring.track_key(KEY, 4)
    assert refused.value.code == "track_unknown"


BAD_RINGS = {
    "no JSON": lambda text: text[:-1],
    "a space": lambda text: text + b" ",
    "another format": lambda text: text.replace(b"ring/v1", b"ring/v2"),
    "capitals": lambda text: text.replace(CONTEXT.hex().encode(), CONTEXT.hex().upper().encode()),
    "a short key": lambda text: text.replace(b'"3":"', b'"3":"00', 1),
    "a leading zero": lambda text: text.replace(b'"3":', b'"03":'),
    "a negative track": lambda text: text.replace(b'"3":', b'"-3":'),
    "a track too large": lambda text: text.replace(b'"3":', b'"4294967296":'),
    "half a digit": lambda text: text.replace(b'"context":"', b'"context":"0'),
}


@pytest.mark.parametrize("name", BAD_RINGS)
def test_a_ring_that_is_not_in_its_one_form_is_refused(name: str) -> None:
    _, written = write()
    text = written.ring.to_bytes()
    assert RecoveryRing.from_bytes(text) == written.ring
    changed = BAD_RINGS[name](text)
    assert changed != text
    with pytest.raises(RecoveryError) as refused:
        RecoveryRing.from_bytes(changed)
    assert refused.value.code == "ring_malformed"


def test_the_digest_is_of_the_whole_file() -> None:
    package, written = write()
    assert written.sha256 == hashlib.sha256(package).digest() == PackageReader(io.BytesIO(package)).sha256()
    assert written.size == len(package)


def test_a_package_tells_no_times_and_no_two_are_alike() -> None:
    package, _ = write()
    again, _ = write()
    assert package[HEADER_BYTES:-28] != again[HEADER_BYTES:-28]
    for second in range(SECONDS):
        assert pixels(3, second, 0)[:16] not in package
    frame = read_frame(io.BytesIO(package))
    # The tables are of one length though one track has sound and the other has none.
    assert len({table.length for table in frame.tables.values()}) == 1


def test_an_entry_exchanged_for_another_is_found() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    key = written.ring.track_key(KEY, 3)
    first, second = reader.narrow(3, key, [(5000, 6000)]).entries
    assert first.length == second.length
    swapped = bytearray(package)
    swapped[first.offset : first.offset + first.length] = package[
        second.offset : second.offset + second.length
    ]
    broken = PackageReader(io.BytesIO(bytes(swapped)))
    with pytest.raises(RecoveryError) as refused:
        list(broken.open(broken.narrow(3, key, [(5000, 6000)])))
    assert refused.value.code == "package_entry_damaged"
    assert broken.sha256() != written.sha256


def test_another_package_of_the_same_job_does_not_open() -> None:
    _, written = write()
    other, _ = write()
    with pytest.raises(RecoveryError) as refused:
        open_scope(other, written, 3, (0, 1000))
    assert refused.value.code == "package_key_wrong"


def test_every_flipped_bit_of_an_entry_or_a_table_is_found() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    key = written.ring.track_key(KEY, 3)
    entry = reader.narrow(3, key, [(0, 1000)]).entries[0]
    table = read_frame(io.BytesIO(package)).tables[3]
    places = [entry.offset, entry.offset + entry.length - 1, table.offset, table.offset + table.length - 1]
    for place in places:
        for bit in (1, 128):
            damaged = bytearray(package)
            damaged[place] ^= bit
            with pytest.raises(RecoveryError) as refused:
                open_scope(bytes(damaged), written, 3, (0, 1000))
            assert refused.value.code in {"package_entry_damaged", "package_key_wrong"}


def _end(package: bytes, count: int, offset: int) -> bytes:
    return package[:-12] + struct.pack(">IQ", count, offset)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "only a header": lambda package: package[:HEADER_BYTES],
    "cut by a byte": lambda package: package[:-1],
    "a byte too many": lambda package: package + b"\0",
    "another version": lambda package: package.replace(b"/v1\n", b"/v2\n", 1),
    "no segments": lambda package: package[: HEADER_BYTES - 4] + bytes(4) + package[HEADER_BYTES:],
    "endless segments": lambda package: package[: HEADER_BYTES - 4] + b"\xff" * 4 + package[HEADER_BYTES:],
    "more tracks": lambda package: _end(package, 3, len(package) - 12 - 16),
    "four billion tracks": lambda package: _end(package, 0xFFFFFFFF, 0),
    "a directory at zero": lambda package: _end(package, 2, 0),
    "a directory beyond the end": lambda package: _end(package, 2, 1 << 62),
    "tracks in another order": lambda package: (
        package[:-28] + package[-20:-12] + package[-28:-20] + package[-12:]
    ),
    "a track twice": lambda package: package[:-28] + package[-20:-12] * 2 + package[-12:],
    "a table of nothing": lambda package: package[:-24] + bytes(4) + package[-20:],
    "a table longer than the file": lambda package: package[:-24] + b"\x00\xff\xf0\x10" + package[-20:],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_what_is_no_package_is_refused_at_the_door(name: str) -> None:
    package, _ = write()
    changed = DAMAGE[name](package)
    assert changed != package
    with pytest.raises(RecoveryError) as refused:
        PackageReader(io.BytesIO(changed))
    assert refused.value.code == "package_malformed"


ENTRY = struct.Struct(">IHBQI")
END = 10_000
GOOD = ENTRY.pack(0, 0, 0, HEADER_BYTES, 100)
BAD_TABLES = {
    "a part left out": ENTRY.pack(0, 1, 0, HEADER_BYTES, 100),
    "a part twice": GOOD + GOOD,
    "a kind that is none": ENTRY.pack(0, 0, 3, HEADER_BYTES, 100),
    "inside the header": ENTRY.pack(0, 0, 0, HEADER_BYTES - 1, 100),
    "into the tables": ENTRY.pack(0, 0, 0, END - 99, 100),
    "far beyond": ENTRY.pack(0, 0, 0, (1 << 64) - 1, 100),
    "no room for a tag": ENTRY.pack(0, 0, 0, HEADER_BYTES, 15),
    "larger than an entry may be": ENTRY.pack(0, 0, 0, HEADER_BYTES, (16 << 20) + 17),
}


@pytest.mark.parametrize("name", BAD_TABLES)
def test_a_table_that_its_own_key_opens_is_still_checked(name: str) -> None:
    assert layout.unpack_table(layout.pack_table(GOOD), END)
    with pytest.raises(RecoveryError) as refused:
        layout.unpack_table(layout.pack_table(BAD_TABLES[name]), END)
    assert refused.value.code == "package_malformed"


def test_a_table_has_one_form() -> None:
    plain = layout.pack_table(GOOD)
    for changed in (
        b"",
        plain[:-1],
        plain + bytes(4096),
        plain[:-1] + b"\1",
        b"\xff" + plain[1:],
        b"\0\0\0\2" + plain[4:],
    ):
        with pytest.raises(RecoveryError):
            layout.unpack_table(changed, END)


def test_a_package_without_tracks_is_one() -> None:
    sink = io.BytesIO()
    written = PackageWriter(sink, KEY, CONTEXT).close()
    assert PackageReader(io.BytesIO(sink.getvalue())).tracks == ()
    assert written.ring.wrapped == {}


def test_a_package_that_was_given_up_is_none() -> None:
    sink = io.BytesIO()
    writer = PackageWriter(sink, KEY, CONTEXT)
    writer.add(1, 0, "pixels", b"x" * 100)
    writer.abort()
    with pytest.raises(ValueError, match="closed or given up"):
        writer.add(1, 1, "pixels", b"x")
    with pytest.raises(ValueError, match="closed or given up"):
        writer.close()
    with pytest.raises(RecoveryError):
        PackageReader(sink)


def test_a_sink_that_fails_gives_the_package_up() -> None:
    class Full(io.RawIOBase):
        def __init__(self) -> None:
            self.room = 200

        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            if len(data) > self.room:
                raise OSError("no space")
            self.room -= len(data)
            return len(data)

    writer = PackageWriter(Full(), KEY, CONTEXT)
    with pytest.raises(OSError, match="no space"):
        writer.add(1, 0, "pixels", b"x" * 1000)
    with pytest.raises(ValueError, match="given up"):
        writer.close()


def test_caps_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = PackageWriter(io.BytesIO(), KEY, CONTEXT)
    with pytest.raises(RecoveryError) as refused:
        writer.add(1, 0, "pixels", bytes(layout.MAX_ENTRY_BYTES + 1))
    assert refused.value.code == "package_too_large"
    for bad in ((-1, 0, "pixels"), (1 << 32, 0, "pixels"), (1, -1, "pixels"), (1, 0, "names")):
        with pytest.raises(ValueError, match="no such"):
            writer.add(*bad, b"")
    writer.add(1, 5000, "pixels", b"")
    with pytest.raises(ValueError, match="order of time"):
        writer.add(1, 4999, "pixels", b"")
    monkeypatch.setattr("keyvault.recovery.writer.MAX_ENTRIES", 2)
    writer.add(1, 0, "sound", b"")
    with pytest.raises(RecoveryError) as refused:
        writer.add(2, 6000, "pixels", b"")
    assert refused.value.code == "package_too_large"


def test_nothing_secret_is_shown() -> None:
    package, written = write()
    reader = PackageReader(io.BytesIO(package))
    scope = reader.narrow(3, written.ring.track_key(KEY, 3), [(0, 1000)])
    shown = repr(scope) + repr(next(reader.open(scope)))
    assert repr(scope.keys[0]) not in shown
    assert "track 3 second" not in shown
    assert dataclasses.fields(scope)


def test_a_wrapped_key_is_not_opened_by_another_purpose() -> None:
    track_key = schedule.new_track_key()
    wrapped = schedule.wrap_track_key(KEY, CONTEXT, 3, track_key)
    assert schedule.unwrap_track_key(KEY, CONTEXT, 3, wrapped) == track_key
    for key in (schedule.table_key(KEY, CONTEXT, 3), schedule.segment_key(KEY, CONTEXT, 3, 0)):
        with pytest.raises(InvalidTag):
            schedule.unseal(key, 0, wrapped, b"")
