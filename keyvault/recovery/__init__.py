"""The recovery package: what was covered, encrypted so that one person's ten seconds open alone.

- `errors`: the base error of this room.
- `schedule`: from the recovery key of a job to the key of one segment of one track.
- `ring`: the wrapped keys of the tracks, kept apart from the package; to erase one is to forget a person.
- `layout`: the bytes of a package: header, entries, tables, directory.
- `writer`: writes one as a stream, in a worker. `reader`: opens a scope of one, in a disclosure worker.
- `result`: the coded result in it, as a file.
- `sheet`: what custodians see of a job.

Entries are bytes of a kind that the caller knows; nothing here sees what they mean. The formats are in
`docs/recovery.md`; who holds which key, and why, in `docs/adr/0024-a-door-that-takes-many.md`.
"""
