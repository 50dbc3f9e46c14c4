"""Networks that a user brings along to evaluate with: nothing is installed, and nothing is ever downloaded.

kinds.py      what is known of a network: three kinds
manifests.py  the same in a TOML file beside it
opening.py    a manifest and its network, checked and open

A job never sees any of these. They look at results, on their user's own machine.
"""
