"""The policies that come with Bauta, one TOML file each; their comments explain every choice."""

from __future__ import annotations

from functools import cache
from importlib import resources
from types import MappingProxyType

from enclave.policy.document import Policy, parse_policy


@cache
def shipped() -> MappingProxyType[str, Policy]:
    """Gives the shipped policies by name, in alphabetical order."""
    files = sorted(
        (entry for entry in resources.files(__name__).iterdir() if entry.name.endswith(".toml")),
        key=lambda entry: entry.name,
    )
    policies = (parse_policy(entry.read_bytes().decode()) for entry in files)
    return MappingProxyType({policy.name: policy for policy in policies})
