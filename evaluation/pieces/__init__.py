"""The reader's side of pieces: a part of an original shown, a part checked, a lossless copy checked.

Every file is decoded by a process of its own behind the wall of a job (enclave/wall), whoever it came from;
what it says is read here as bytes of a stranger. Nothing in this room imports a decoder but that process and
the writer of parts.

records.py    what goes through the pipe between the two
child.py      the process behind the wall: decodes one file, and tells what the decoders gave
decoding.py   starts it, and reads what it tells
original.py   an original committed to again
parts.py      a stretch of it written as a lossless clip, or a picture
revealing.py  the whole way: original and opening in, part and package out
checking.py   a part against its package, a lossless copy against its untouched package
"""
