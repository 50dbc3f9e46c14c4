"""What the enclave's tests build on: valid policies, recipients and terms."""

from __future__ import annotations

from enclave.policy import Policy, Terms, parse_policy, shipped

RECIPIENT = "age1pq1" + "q" * 1952
OTHER_RECIPIENT = "age1pq1" + "p" * 1952

POLICY_TEXT = """\
schema = "bauta.policy/v1"
name = "trial"
summary = "A policy for tests."
modes = ["balanced", "fast"]
locked = false

[faces]
effect = "solid"
shape = "box"
scale = 1.5
threshold = 0.2
passes = 2
linger_seconds = 0.5
lookahead_seconds = 1

[audio]
effect = "remove"
"""


def a_policy(text: str = POLICY_TEXT) -> Policy:
    """A policy."""
    return parse_policy(text)


def some_terms(policy: Policy | None = None, recipient: str = RECIPIENT) -> Terms:
    """Terms under a policy, by default a shipped one, in its default mode."""
    policy = policy or shipped()["whistleblower"]
    return Terms(policy=policy, mode=policy.modes[0], recipients=(recipient,))
