"""Matching under encryption: an enrolled, consenting person's template, compared by whoever cannot read it.

The owner holds a secret key and encrypts templates; a matcher holds the public context, templates it cannot
read and vectors of its own in the clear; what it computes are scores that the owner alone reads.

- `errors`: codes. `parameters`: ring, moduli, scales, and their security level.
- `residues`: the one form of keys and ciphertexts as bytes, checked number by number.
- `seal`: those numbers into SEAL and out again, in memory; SEAL parses nothing that we did not write.
- `keys`: the owner's secret key, and the public context without it.
- `vectors`: what may be enrolled and compared. `framing`: the frame of the files.
- `templates`: an encrypted template, made and opened by its owner. `scores`: encrypted scores, opened.
- `product`: a clear matrix times an encrypted vector. `hiding`: what a result says beyond its scores.
- `matching`: many clear vectors against encrypted templates. `transform`: cancelable templates.

What is hidden from whom, formats and figures: docs/templates.md.
Why so: docs/adr/0028-templates-under-encryption.md.
"""
