"""Changes of single layers: the graph stays sound, and computes what torch does with the weights that were kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from changed_networks import BRANCHES_SHAPE, Branches, graph_of, outputs
from torch import nn

from nmdeploy.advise.carry_on import CannotChangeError
from nmdeploy.advise.change import Change, changed, parameters, possible_changes
from nmdeploy.advise.change_channels import channel_counts, with_channels
from nmdeploy.advise.change_groups import group_counts, with_groups
from nmdeploy.advise.change_stride import with_pooling_before, with_twice_the_stride
from nmdeploy.layers import operators as op
from nmdeploy.layers.graph import build_layer_graph
from nmdeploy.layers.verify import verify


@pytest.fixture(scope="module")
def branches(tmp_path_factory):
    return graph_of(tmp_path_factory.mktemp("branches"), Branches(), BRANCHES_SHAPE)


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).normal(size=(3, *BRANCHES_SHAPE)).astype(np.float32)


def with_operator(graph, name, **fields):
    layers = [
        replace(one, operator=replace(one.operator, **fields)) if one.name == name else one for one in graph.layers
    ]
    return build_layer_graph(layers, graph.outputs)


def weight(graph, name):
    return graph.layer(name).operator.weight


def test_oracle_computes_the_module(branches, samples):
    expected = Branches().eval()(torch.from_numpy(samples)).detach().numpy()
    assert np.allclose(outputs(branches, samples)[..., 0, 0], expected, atol=1e-5)


@pytest.mark.parametrize(("name", "groups"), [("stem", 2), ("left", 2), ("grouped", 4), ("inner", 3), ("inner", 12)])
def test_groups_are_those_of_torch_with_the_blocks_kept(branches, samples, name, groups):
    before = branches.layer(name).operator
    grouped = with_groups(branches, name, groups)
    assert verify(grouped) == []
    outputs_of, per_group = before.weight.shape[:2]
    inputs = per_group * before.groups
    # the same convolution written densely: zeros wherever output and input lie in different groups
    dense = np.zeros((outputs_of, inputs, *before.weight.shape[2:]), np.float32)
    for number in range(outputs_of):
        first = number * before.groups // outputs_of * per_group
        dense[number, first : first + per_group] = before.weight[number]
    for number in range(outputs_of):
        for source in range(inputs):
            if number * groups // outputs_of != source * groups // inputs:
                dense[number, source] = 0.0
    written_out = with_operator(branches, name, weight=dense, groups=1)
    assert np.allclose(outputs(grouped, samples), outputs(written_out, samples), atol=1e-5)
    assert weight(grouped, name).size == before.weight.size * before.groups // groups


def test_group_counts_divide_both_and_refine_what_there_is(branches):
    assert group_counts(branches, "inner") == [2, 3, 4, 6, 12]
    assert group_counts(branches, "grouped") == [4, 6, 12]
    assert group_counts(branches, "depthwise") == []
    assert group_counts(branches, "hidden") == []
    for groups in (1, 5, 24):
        with pytest.raises(CannotChangeError, match=f"cannot have {groups} groups"):
            with_groups(branches, "inner", groups)


def silenced(graph, name, kept):
    """The same shapes, but channels of a layer that were not kept are zero, weights and biases."""
    operator = graph.layer(name).operator
    gone = np.setdiff1d(np.arange(len(operator.bias)), kept)
    changed_weight, bias = operator.weight.copy(), operator.bias.copy()
    changed_weight[gone], bias[gone] = 0.0, 0.0
    return with_operator(graph, name, weight=changed_weight, bias=bias)


@pytest.mark.parametrize(
    ("name", "count", "kept"),
    [
        ("left", 2, [0, 1]),
        ("right", 3, [0, 1, 2]),
        ("inner", 5, range(5)),
        ("hidden", 1, [0]),
    ],
)
def test_fewer_channels_compute_what_the_first_ones_do(branches, samples, name, count, kept):
    """A channel of zeros and one that is gone are the same, where nothing after it adds a bias of its own."""
    # behind the concatenation every channel has a depthwise bias of its own, which would speak for channels of zeros
    plain = with_operator(branches, "depthwise", bias=np.zeros(20, np.float32))
    cut = with_channels(plain, name, count)
    assert verify(cut) == []
    assert cut.layer(name).shape[0] == count
    assert np.allclose(outputs(cut, samples), outputs(silenced(plain, name, kept), samples), atol=1e-5)
    assert parameters(cut) < parameters(plain)


def test_channels_behind_depthwise_go_with_their_multiples(branches):
    cut = with_channels(branches, "right", 2)
    depthwise, whole = cut.layer("depthwise").operator, branches.layer("depthwise").operator
    assert depthwise.groups == 8
    assert np.array_equal(depthwise.weight, whole.weight[[*range(16)]])
    assert verify(cut) == []


def test_grouped_reader_needs_as_many_channels_of_each_group(branches):
    """The first ten of twelve channels are six of one group of the reader, and four of the other."""
    with pytest.raises(CannotChangeError, match="different numbers of channels"):
        with_channels(branches, "mix", 10)
    assert possible_changes(branches, "channels", "mix") == []


def test_both_ends_grouped_are_cut_alike(tmp_path):
    """Of a layer of two groups the first channels of each are kept, which are those of the groups of its reader."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(2, 8, 3, groups=2), nn.Conv2d(8, 4, 1, groups=2)
    graph = graph_of(tmp_path, nn.Sequential(first, nn.ReLU(), second), BRANCHES_SHAPE)
    assert channel_counts(graph, "0") == [2, 4, 6]
    cut = with_channels(graph, "0", 4)
    assert verify(cut) == []
    assert np.array_equal(weight(cut, "0"), weight(graph, "0")[[0, 1, 4, 5]])
    assert np.array_equal(weight(cut, "2"), weight(graph, "2")[:, :2])


def test_channels_that_an_addition_fixes_stay(branches):
    for name in ("outer", "grouped"):
        with pytest.raises(CannotChangeError, match="must have the same channels"):
            with_channels(branches, name, channel_counts(branches, name)[-1])
        assert possible_changes(branches, "channels", name) == []
    assert [change.after for change in possible_changes(branches, "channels", "inner")] == list(range(11, 0, -1))


def test_outputs_of_the_network_stay(branches):
    with pytest.raises(CannotChangeError, match="is an output"):
        with_channels(branches, "out", 2)


def test_batch_norm_is_cut_with_its_layer(tmp_path, samples):
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.PReLU(4), nn.Conv2d(4, 2, 3))
    cut = with_channels(graph_of(tmp_path, module, BRANCHES_SHAPE), "0", 3)
    assert verify(cut) == []
    assert [layer.shape[0] for layer in cut.layers] == [2, 3, 3, 3, 2]


@pytest.mark.parametrize(("stride", "size"), [(1, 8), (2, 8), (1, 7)])
def test_twice_the_stride_is_torchs_with_the_first_places_kept(tmp_path, stride, size):
    torch.manual_seed(0)
    convolution = nn.Conv2d(2, 3, 3, stride=stride, padding=1)
    module = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), nn.LazyLinear(4))
    module(torch.zeros(1, 2, size, size))
    graph = graph_of(tmp_path, module, (2, size, size))
    strided = with_twice_the_stride(graph, "0")
    assert verify(strided) == []
    samples = torch.randn(2, 2, size, size)
    with torch.no_grad():
        places = module[1](convolution(samples)).shape[-1]
        left = nn.functional.relu(
            nn.functional.conv2d(samples, convolution.weight, convolution.bias, 2 * stride, padding=1)
        )
        weights = module[3].weight.reshape(4, 3, places, places)[:, :, : left.shape[2], : left.shape[3]]
        expected = left.flatten(1) @ weights.flatten(1).T + module[3].bias
    assert np.allclose(outputs(strided, samples.numpy())[..., 0, 0], expected.numpy(), atol=1e-5)


def test_pooling_before_a_layer_is_a_mean_over_two_by_two(branches, samples):
    pooled = with_pooling_before(branches, "stem")
    assert verify(pooled) == []
    (pool,) = [layer for layer in pooled.layers if layer.name == "stem.pooling"]
    assert pool.operator == op.AveragePool((2, 2), (2, 2))
    assert pooled.layer("stem").shape == (8, 3, 3)
    assert pooled.layer("grouped").shape == (12, 1, 1)


def test_pooling_over_the_whole_map_stays_one(tmp_path):
    module = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.AvgPool2d(8), nn.Flatten(), nn.Linear(2, 2))
    strided = with_twice_the_stride(graph_of(tmp_path, module, (1, 8, 8)), "0")
    assert verify(strided) == []
    assert strided.layer("2").operator == op.AveragePool((4, 4), (4, 4))


def test_shapes_that_an_addition_fixes_stay(branches):
    with pytest.raises(CannotChangeError, match="must have the same"):
        with_twice_the_stride(branches, "inner")
    assert possible_changes(branches, "stride", "inner") == []


def test_changes_add_up(branches):
    changes = [Change("groups", "stem", 1, 2), Change("channels", "inner", 12, 4), Change("stride", "stem", 1, 2)]
    together = changed(branches, changes)
    assert verify(together) == []
    assert weight(together, "stem").shape == (8, 1, 3, 3)
    assert weight(together, "outer").shape == (12, 4, 1, 1)
    assert together.layer("left").shape == (6, 3, 3)
    assert verify(branches) == []
    assert weight(branches, "stem").shape == (8, 2, 3, 3)
