"""A network lowered onto small crossbars: simulator, Lava's layers and Lava's cores, the host a core too."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from hw_profiles import load_target
from hw_profiles.crossbar_profile import CrossbarProfile
from mapping.placement import HOST_CHIP
from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import split_calibration
from nmdeploy.crossbar.axon_plan import Precision
from nmdeploy.lava.batches import Batches
from nmdeploy.lava.host_core import with_host
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import Layer, build_layer_graph
from nmdeploy.passes import PassRunner
from nmdeploy.pipeline_crossbars import compile_for_crossbars
from nmdeploy.quantize import QuantizationOptions

from .comparison import assert_equal_to_simulator, run

pytestmark = pytest.mark.lava
pytest.importorskip("lava.magma", reason="lava-nc is not installed (Python 3.10 only)")


@pytest.fixture(scope="module")
def compiled():
    """Two dense layers and a readout, for crossbars of 20 axons and 8 neurons."""
    data = load_target("truenorth").model_dump()
    data["crossbar"]["axons"]["value"], data["crossbar"]["neurons"]["value"] = 20, 8
    profile = CrossbarProfile.model_validate(data)
    generator = np.random.default_rng(0)
    layers, sizes = [Layer("input", op.Input(), (), (6, 1, 1))], (6, 8, 7, 3)
    for number, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        weight = generator.normal(size=(outputs, inputs)).astype(np.float32)
        linear = op.Linear(weight, generator.normal(size=outputs).astype(np.float32))
        layers.append(Layer(f"layer{number}", linear, (layers[-1].name,), (outputs, 1, 1)))
        if number < 3:
            layers.append(Layer(f"relu{number}", op.ReLU(), (f"layer{number}",), (outputs, 1, 1)))
    samples = generator.normal(size=(40, 6, 1, 1)).astype(np.float32)
    made = compile_for_crossbars(
        build_layer_graph(layers, (layers[-1].name,)),
        split_calibration(samples, "drawn"),
        profile,
        CompilerOptions(QuantizationOptions(8), "channel-max"),
        Precision(4),
        PassRunner(lambda _: None, None),
    )
    return made, samples


def test_the_network_has_all_that_crossbars_need(compiled):
    made, _ = compiled
    assert made.violations == ()
    names = [one.name for one in made.network.populations]
    assert any(".part" in name for name in names)
    assert len(made.placement.cores) > 4
    placed = sum(one.neuron_count for one in made.network.populations if not one.on_host)
    assert len(made.program.columns.core) > placed, "copies"
    converted = {one.name for one in made.float_network.populations}
    assert any(name not in converted and not name.endswith(".bias") for name in names), "relays"


def test_the_host_is_one_more_core(compiled):
    made, _ = compiled
    *cores, host = with_host(made.network, made.placement).cores
    assert tuple(cores) == made.placement.cores
    assert host.address.chip == HOST_CHIP
    assert {tile.population for tile in host.tiles} == {one.name for one in made.network.populations if one.on_host}


def test_layers_and_cores_equal_the_simulator(compiled):
    from nmdeploy.lava.emit_cores import emit_cores
    from nmdeploy.lava.emit_layers import emit_layers

    made, samples = compiled
    batches = Batches.of(5, 3)
    assert_equal_to_simulator(made.network, samples[:5], run(emit_layers, made.network, samples[:5], batches))
    on_cores = partial(emit_cores, placement=made.placement)
    assert_equal_to_simulator(made.network, samples[:5], run(on_cores, made.network, samples[:5], batches))
