"""The floor: which walls must stand, by name, and what a configuration can change about that."""

from __future__ import annotations

import pytest

from enclave.errors import WallError
from enclave.wall import ALL_WALLS, DEFAULT_FLOOR, LOWEST_FLOOR, lacking_walls, require_floor

EVERYTHING = frozenset(ALL_WALLS)


@pytest.mark.parametrize("lacking", LOWEST_FLOOR)
@pytest.mark.parametrize("floor", [DEFAULT_FLOOR, (), ("limits",)], ids=["default", "empty", "another"])
def test_the_lowest_floor_is_asked_for_whatever_is_configured(lacking: str, floor: tuple[str, ...]) -> None:
    with pytest.raises(WallError) as caught:
        require_floor(EVERYTHING - {lacking}, floor)
    assert caught.value.code == "wall_floor_missing"
    assert lacking in str(caught.value)


# Walls beside no_new_privs and landlock_fs, and what the default floor lacks then.
NETWORKS = {
    "a network namespace": ({"seccomp", "net_namespace"}, ()),
    "Landlock's rules for TCP": ({"seccomp", "landlock_net"}, ()),
    "both": ({"seccomp", "landlock_net", "net_namespace"}, ()),
    "the filter alone": ({"seccomp"}, ("no_network",)),
    "everything but the filter": ({"landlock_net", "net_namespace"}, ("seccomp", "no_network")),
}


@pytest.mark.parametrize(("walls", "lacking"), NETWORKS.values(), ids=NETWORKS.keys())
def test_no_network_takes_two_mechanisms(walls: set[str], lacking: tuple[str, ...]) -> None:
    assert lacking_walls(walls | {"no_new_privs", "landlock_fs"}) == lacking


def test_a_configured_floor_names_everything_that_is_missing() -> None:
    floor = ("seccomp", "locked_memory", "pid_namespace", "limits")
    with pytest.raises(WallError, match=r"pid_namespace, locked_memory") as caught:
        require_floor(EVERYTHING - {"locked_memory", "pid_namespace"}, floor)
    assert "limits" not in str(caught.value)


def test_a_lower_floor_lets_a_lower_wall_pass() -> None:
    one_network_wall = {*LOWEST_FLOOR}
    require_floor(one_network_wall, LOWEST_FLOOR)
    with pytest.raises(WallError, match="no_network"):
        require_floor(one_network_wall)


def test_a_worker_cannot_claim_its_way_over_the_floor() -> None:
    """`no_network` is worked out here; as a claim in a hello it counts for nothing."""
    assert lacking_walls({*LOWEST_FLOOR, "no_network"}) == ("no_network",)
