"""Networks that a user brings along to evaluate with: nothing is installed, and nothing is ever downloaded.

manifests.py  what is said of a network, in a TOML file beside it: three kinds
opening.py    a manifest and its network, checked and open

A job never sees any of these. They look at results, on their user's own machine.
"""
