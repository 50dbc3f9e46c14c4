"""The log as static files, to the letter of c2sp.org/tlog-tiles: what anyone may read without asking us.

- `layout`: which file holds which hashes or entries, what it is called, and what a tree of a size needs.
- `files`: the contract for whoever keeps the files, and the folder that keeps it on a disk.
- `publisher`: brings the files up to a checkpoint, the hashes and entries first, the checkpoint last.
- `check`: compares every file with the index; one half of `bauta log fsck`.

The index (`log_storage`) is where entries are staged and proofs are read; these files follow from it alone.
"""
