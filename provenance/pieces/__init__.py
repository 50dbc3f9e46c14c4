"""Pieces: one salted commitment to an original, of which any part can be shown later and nothing else.

Pure functions over bytes; nothing here touches a disk, a clock or a network. From the ground up:

- `errors`: the one error that comes out.
- `secrets`: where the one secret comes from.
- `seeds`: a tree of salts from one secret; a stretch of salts is handed over as a few seeds.
- `hashing`: salted leaves, and the leaf hashes of a tree in 32 bytes each.
- `opening`: some leaves of a tree shown, all others hidden behind hashes of subtrees.
- `description`: what a tree is over, and the one root over the four trees of an original.
- `cutting`: containers and sound into blocks, pictures into tiles of 64 by 64.
- `committing`: who has the original streams it through here.
- `original`: one original on its way past, all of its trees: for a worker, a device and a reader.
- `reveal`: the package that shows stretches of an original, and its check.
- `untouched`: the package that shows which tiles of a lossless copy are the original's, and its check.
- `recording`: a recording key's signature over a commitment.

Formats and what they prove: docs/pieces.md. Why so: docs/adr/0025-an-original-in-salted-pieces.md.
"""
