"""The networks of the mapping benchmarks have the sizes of the published ones, and are sound."""

import pytest

from benchmarks.mapping_networks import mobilenet_v1, narrowed_vgg16, resnet50, vgg16
from benchmarks.mapping_point import measure
from hw_profiles import load_profile
from mapping.placement import Placement
from mapping.rules.evidence import Evidence
from mapping.rules.network_rules import NETWORK_RULES

LOIHI2 = load_profile("loihi2")


def shared_weights(network):
    """Weights of ordinary convolutions and dense layers: no pooling, shortcut or depthwise convolution."""
    return sum(item.weights.size for item in network.projections if item.connectivity.groups == 1)


@pytest.mark.parametrize(
    ("network", "published", "first_layer"),
    [
        # 14,714,688 parameters of the convolutions, 4,224 of them biases, and a dense layer of 512 x 10
        (lambda: vgg16(LOIHI2), 14_714_688 - 4_224 + 5_120, 3 * 64 * 9),
        # 25,557,032 parameters, 53,120 of BatchNorm and 1,000 biases
        (lambda: resnet50(LOIHI2, pool_neurons=True), 25_557_032 - 53_120 - 1_000, 3 * 64 * 49),
        # table 2 of the paper: 74.59 % of 4.2 million in the pointwise, 24.33 % in the dense layer
        (lambda: mobilenet_v1(LOIHI2, pool_neurons=True), 3_139_584 + 1_024_000, 0),
    ],
)
def test_numbers_of_weights_are_the_published_ones(network, published, first_layer):
    assert shared_weights(network()) == published - first_layer


def test_neurons_of_vgg16_on_maps_of_32():
    convolutions = [item for item in vgg16(LOIHI2).populations if item.name.startswith("conv")]
    assert sum(item.neuron_count for item in convolutions) == 276_480


@pytest.mark.parametrize("target", ["loihi", "loihi2", "spinnaker"])
def test_networks_are_sound(target):
    profile = load_profile(target)
    for build in (vgg16, lambda profile: resnet50(profile, 32), lambda profile: mobilenet_v1(profile, 32)):
        evidence = Evidence(build(profile), Placement(()), profile)
        assert [violation for rule in NETWORK_RULES for violation in rule.check(evidence)] == []


def test_vgg16_as_the_refusals_advise_fits_loihi():
    profile = load_profile("loihi")
    found = measure(narrowed_vgg16(profile), profile)
    assert found["violations"] == 0
    assert found["bound"] <= found["bound_regular_tilings"] <= found["cores"]
