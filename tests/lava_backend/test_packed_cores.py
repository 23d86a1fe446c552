"""The partitioner's own packing, several populations on a core, computes what the simulator computes."""

from __future__ import annotations

from functools import partial

import pytest

from hw_profiles import HardwareProfile, load_profile
from mapping.partition import partition
from mapping.place import place
from nmdeploy.lava.batches import Batches

from .comparison import assert_equal_to_simulator, run
from .programmable_example import programmable_example, samples_of_example

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")


def test_packed_cores_equal_simulator():
    from nmdeploy.lava.emit_cores import emit_cores

    small = load_profile("spinnaker").model_dump()
    small["core_limits"]["compartments"]["value"] = 40
    profile = HardwareProfile.model_validate(small)
    network = programmable_example()
    placement = place(partition(network, profile), profile)
    populations = [{tile.population for tile in core.tiles} for core in placement.cores]
    assert max(map(len, populations)) > 1
    assert sum("edges" in held for held in populations) > 1
    samples = samples_of_example()
    lava = run(partial(emit_cores, placement=placement), network, samples, Batches.of(len(samples), 2))
    assert_equal_to_simulator(network, samples, lava)
