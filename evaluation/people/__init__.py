"""What an attacker makes of people who were covered as a whole: whose bodies they are (re-identification).

finding.py      people in the originals
embedding.py    re-identifiers by manifest: OSNet, AGW and other ONNX networks
evaluating.py   two files or two folders in, all findings out

All else is as for faces, and stands there: pairs, trials against a gallery, what attackers know and what they
do first, figures and words (evaluation/faces). One rule is this room's own, that of Market-1501: of who is in
several recordings, no two pictures of one recording are compared, for the clothes of one afternoon tell who
somebody is without any attack.

No re-identifier comes with any package, so without a manifest there is no attack on bodies.
"""
