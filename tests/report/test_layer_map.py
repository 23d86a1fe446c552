"""The picture of the layers has a box for each population and a wire for each pair of them that is joined."""

import re
from dataclasses import replace
from itertools import combinations

import pytest

from benchmarks.mapping_networks import convolution_stack, resnet50, vgg16
from hw_profiles import load_profile
from mapping.network import build_graph
from nmdeploy.report.layer_map import BOX_HEIGHT, BOX_WIDTH, layer_map

LOIHI2 = load_profile("loihi2")


def with_cycle():
    """A stack whose last population is read by the one before it too."""
    network = convolution_stack(LOIHI2, 4)
    back = replace(network.projections[-1], name="back", source="conv4", target="conv3")
    return replace(network, graph=build_graph(network.populations, [*network.projections, back]))


def drawn(network):
    return layer_map(network, {population.name: 1 + index for index, population in enumerate(network.populations)})


@pytest.fixture(
    scope="module",
    params=[lambda: resnet50(LOIHI2, 32), lambda: vgg16(LOIHI2, split_fan_in=True), with_cycle],
    ids=["shortcuts", "fan-in split", "cycle"],
)
def network(request):
    return request.param()


def test_boxes_lie_apart_and_say_their_cores(network):
    picture = drawn(network)
    for index, (population, box) in enumerate(zip(network.populations, picture.boxes, strict=True), start=1):
        assert box.text.startswith(f"{population.name}: {population.neuron_count:,} neurons on {index}")
        assert box.cores == ("1 core" if index == 1 else f"{index} cores")
        assert box.share == index / len(picture.boxes)
        assert 0 <= box.x <= picture.width - BOX_WIDTH
        assert 0 <= box.y <= picture.height - BOX_HEIGHT
    for one, other in combinations(picture.boxes, 2):
        assert abs(one.x - other.x) >= BOX_WIDTH or abs(one.y - other.y) >= BOX_HEIGHT
    assert picture.title.startswith(f"{len(picture.boxes)} populations")


def test_every_pair_that_is_joined_has_a_wire_from_box_to_box(network):
    picture = drawn(network)
    boxes = {population.name: box for population, box in zip(network.populations, picture.boxes, strict=True)}
    wires = {}
    for wire in picture.wires:
        source, target = wire.text.split(": ")[0].split(" to ")
        wires[source, target] = wire.path
    assert set(wires) == {(item.source, item.target) for item in network.projections}
    assert len(wires) == len(picture.wires)
    for (source, target), path in wires.items():
        numbers = [int(number) for number in re.findall(r"\d+", path)]
        if "C" in path:
            assert boxes[target].y > boxes[source].y + BOX_HEIGHT
            start, end = numbers[:2], numbers[-2:]
            assert start == [boxes[source].x + BOX_WIDTH // 2, boxes[source].y + BOX_HEIGHT]
            assert end == [boxes[target].x + BOX_WIDTH // 2, boxes[target].y]
        else:
            x, y, lane, end_y, end_x = numbers
            assert (x, end_x) == (boxes[source].x + BOX_WIDTH, boxes[target].x + BOX_WIDTH)
            assert boxes[source].y < y < boxes[source].y + BOX_HEIGHT
            assert boxes[target].y < end_y < boxes[target].y + BOX_HEIGHT
            assert max(box.x for box in picture.boxes) + BOX_WIDTH < lane <= picture.width


def test_lanes_of_wires_beside_each_other_differ(network):
    spans = []
    for wire in drawn(network).wires:
        if "H" in wire.path:
            _, y, lane, end_y, _ = (int(number) for number in re.findall(r"\d+", wire.path))
            spans.append((lane, *sorted((y, end_y))))
    for (lane, top, bottom), (other_lane, other_top, other_bottom) in combinations(spans, 2):
        assert lane != other_lane or bottom <= other_top + BOX_HEIGHT or other_bottom <= top + BOX_HEIGHT
