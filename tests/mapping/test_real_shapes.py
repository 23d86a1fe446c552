"""Networks as large as real ones on every chip: mapped and proved legal within seconds, or refused with the reason."""

from time import process_time

import network_shapes
import pytest

from hw_profiles import available_profiles, load_profile
from mapping.bounds import cores_lower_bound
from mapping.partition import partition
from mapping.place import place
from mapping.verify import verify
from mapping.violation import DoesNotFitError


def mapped(network, profile):
    """Cores, their lower bound, and chips of a placement, which the verifier finds legal."""
    graph = partition(network, profile)
    placement = place(graph, profile)
    assert verify(network, placement, profile) == []
    bound = cores_lower_bound(network, profile)
    assert bound <= len(placement.cores)
    assert graph.chip_count == placement.chip_count
    return len(placement.cores), bound, placement.chip_count


def test_every_chip_is_tried():
    assert set(available_profiles()) == {"loihi", "loihi2", "spinnaker", "spinnaker2"}


@pytest.mark.parametrize(
    ("build", "sizes"),
    [
        (
            network_shapes.mnist_cnn,
            {"loihi": (15, 13, 1), "loihi2": (2, 2, 1), "spinnaker": (26, 26, 2), "spinnaker2": (7, 6, 1)},
        ),
        (
            network_shapes.resnet20,
            {"loihi": (369, 369, 3), "loihi2": (117, 66, 1), "spinnaker": (737, 737, 47), "spinnaker2": (184, 167, 2)},
        ),
    ],
)
@pytest.mark.parametrize("name", available_profiles())
def test_sizes(build, sizes, name):
    """Golden numbers of cores, bound and chips: a change means that something maps otherwise."""
    profile = load_profile(name)
    started = process_time()
    network = build(profile)
    models = {item.model for item in network.populations}
    assert models == ({"if"} if name == "loihi" else {"if", "paced"})
    assert mapped(network, profile) == sizes[name]
    assert process_time() - started < 20


@pytest.mark.parametrize("name", ["loihi", "loihi2"])
def test_yolov3_tiny_has_layers_of_too_many_inputs_for_loihi(name):
    profile = load_profile(name)
    with pytest.raises(DoesNotFitError) as caught:
        partition(network_shapes.yolov3_tiny(profile), profile)
    (violation,) = caught.value.violations
    assert (violation.rule, violation.where, violation.capacity) == ("NMD202", "population conv6", 4096)
    assert violation.demand == 512 * 9 + (name == "loihi")
    assert "at most 455 input channels, or 2 groups" in violation.remedy


def test_yolov3_tiny_fits_spinnaker2():
    profile = load_profile("spinnaker2")
    network = network_shapes.yolov3_tiny(profile, size=208)
    assert {item.model for item in network.populations} == {"paced", "max_pool", "if"}
    cores, _, chips = mapped(network, profile)
    assert chips == -(-cores // 152)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), [("spinnaker", (29686, 29657, 1856)), ("spinnaker2", (7568, 6880, 50))])
def test_yolov3_tiny_of_full_size(name, size):
    profile = load_profile(name)
    assert mapped(network_shapes.yolov3_tiny(profile), profile) == size


def test_more_chips_than_there_are_is_refused():
    profile = load_profile("spinnaker")
    data = profile.model_dump()
    data["mesh"]["chips"]["value"] = 46
    with pytest.raises(DoesNotFitError, match="737 cores take too many chips"):
        partition(network_shapes.resnet20(profile), type(profile).model_validate(data))
