"""Dead and reserved cores are never used, all others before another chip is."""

from collections import Counter

import mapping_networks as networks
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mapping_strategies import LOIHI, chips_with_unusable_cores, listed_core, number, random_networks, with_mesh

from hw_profiles import load_profile
from mapping.partition import partition
from mapping.place import CoreAddress, place
from mapping.usable_cores import chips_in_sequence, chips_needed, usable_addresses
from mapping.verify import verify
from mapping.violation import DoesNotFitError

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=50)


def usable_by_hand(chip, mesh):
    """Every core of a chip that no list names, by looking at each."""
    sites = {
        (x, y, slot)
        for x in range(mesh.routers_x.value)
        for y in range(mesh.routers_y.value)
        for slot in range(mesh.cores_per_router.value)
    }
    for core in mesh.dead_cores + mesh.reserved_cores:
        if core.chip in (None, chip):
            sites.discard((core.x, core.y, core.slot))
    return sites


@SETTINGS
@given(random_networks(), chips_with_unusable_cores())
def test_no_placement_uses_a_dead_or_reserved_core(network, profile):
    try:
        placement = place(partition(network, profile), profile)
    except DoesNotFitError:
        event("does not fit")
        return
    mesh = profile.mesh
    addresses = [record.address for record in placement.cores]
    for address in addresses:
        assert (address.x, address.y, address.slot) in usable_by_hand(address.chip, mesh)
    assert verify(network, placement, profile) == []
    used = Counter(address.chip for address in addresses)
    rooms = {chip: len(usable_by_hand(chip, mesh)) for chip in range(max(used) + 1)}
    if mesh.usable_cores_per_chip is not None:
        rooms = {chip: min(room, mesh.usable_cores_per_chip.value) for chip, room in rooms.items()}
    event(f"chips: {min(len(used), 3)}")
    assert all(used[chip] == rooms[chip] for chip in range(max(used)))
    assert used[max(used)] <= rooms[max(used)]


@SETTINGS
@given(chips_with_unusable_cores(), st.integers(0, 40))
def test_chips_are_filled_in_sequence(profile, count):
    chips = chips_in_sequence(count, profile.mesh).tolist()
    assert len(chips) == count
    assert chips == sorted(chips)
    assert chips_needed(count, profile.mesh) == (chips[-1] + 1 if chips else 0)
    for chip in range(4):
        addresses = usable_addresses(chip, profile.mesh)
        assert len(addresses) == profile.mesh.usable_count(chip)
        assert len(set(addresses)) == len(addresses)
        assert chips.count(chip) <= len(addresses)


def test_dead_core_is_passed_over():
    """The snake of Loihi's first row without slot 1 of its second router."""
    mesh = with_mesh(LOIHI, dead_cores=[listed_core(3, (1, 0, 1))]).mesh
    assert usable_addresses(3, mesh)[4:7] == [CoreAddress(3, 1, 0, slot) for slot in (0, 2, 3)]
    assert usable_addresses(2, mesh)[4:7] == [CoreAddress(2, 1, 0, slot) for slot in (0, 1, 2)]


def test_dead_cores_count_against_the_size_of_the_system():
    """A system that has just the cores that a network takes is one chip too small once a core is dead."""
    network = networks.conv_pair((4, 16, 16), (4, 16, 16))
    cores = len(partition(network, LOIHI).cores)
    assert cores > 2
    sizes = {"routers_x": cores, "routers_y": 1, "cores_per_router": 1, "chips": 1}
    system = with_mesh(LOIHI, **{name: number(size) for name, size in sizes.items()})
    assert verify(network, place(partition(network, system), system), system) == []
    with pytest.raises(DoesNotFitError, match=r"NMD107 .*\(2 > 1\)"):
        partition(network, with_mesh(system, dead_cores=[listed_core(0, (0, 0, 0))]))


def test_chips_stand_in_rows():
    mesh = load_profile("loihi").mesh
    columns = mesh.chip_columns.value
    assert mesh.chip_position(0) == (0, 0)
    assert mesh.chip_position(columns - 1) == (columns - 1, 0)
    assert mesh.chip_position(columns) == (0, 1)
    assert with_mesh(LOIHI, chip_columns=None).mesh.chip_position(700) == (700, 0)


def test_loihi2_uses_no_more_cores_of_a_chip_than_boards_expose():
    mesh = load_profile("loihi2").mesh
    assert mesh.cores_per_chip == 128
    assert chips_in_sequence(123, mesh).tolist() == [0] * 122 + [1]
