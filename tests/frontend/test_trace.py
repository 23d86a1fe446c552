"""Traced graphs compute what the module computes."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from layer_oracle import evaluate
from torch import nn
from traced_networks import NETWORKS, ResNet, TinyYolo, sample, settled

from nmdeploy.frontend.trace import trace
from nmdeploy.layers import operators as op


class Apply(nn.Module):
    """A function as a network, with a parameter to use."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        generator = torch.Generator().manual_seed(3)
        self.weight = nn.Parameter(torch.randn(4, 4, 3, 3, generator=generator))
        self.slopes = nn.Parameter(torch.rand(4, generator=generator))

    def forward(self, x):
        return self.function(self, x)


def assert_same(module, samples):
    graph = trace(module, samples[:1])
    before = copy.deepcopy(module.state_dict())
    with torch.no_grad():
        expected = module(samples.clone())
    if isinstance(expected, dict):
        expected = list(expected.values())
    elif isinstance(expected, torch.Tensor):
        expected = [expected]
    results = evaluate(graph, samples)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        torch.testing.assert_close(result.flatten(1).float(), wanted.flatten(1).float(), rtol=1e-5, atol=1e-5)
    for name, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[name]), f"{name} was changed"
    return graph


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    build, shape = NETWORKS[name]
    assert_same(settled(build()), sample(*shape))


MODULES = [
    nn.Conv2d(4, 6, 3),
    nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 2), dilation=(1, 2), bias=False),
    nn.Conv2d(4, 8, 3, groups=2, padding="valid"),
    nn.Conv2d(4, 8, 3, groups=4, padding="same"),
    nn.Conv2d(4, 6, (4, 2), padding="same", dilation=(1, 3)),
    nn.BatchNorm2d(4),
    nn.BatchNorm2d(4, affine=False, eps=1e-3),
    nn.ReLU(),
    nn.ReLU(inplace=True),
    nn.ReLU6(),
    nn.Hardtanh(0, 2),
    nn.LeakyReLU(0.2),
    nn.PReLU(),
    nn.PReLU(4),
    nn.MaxPool2d(2),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d((3, 2), (2, 3), (1, 0), ceil_mode=True),
    nn.MaxPool2d(2, 3, 1, ceil_mode=True),
    nn.MaxPool2d(2, 2, dilation=3),
    nn.AvgPool2d(2),
    nn.AvgPool2d(3, 2, 1),
    nn.AvgPool2d(3, 2, 1, count_include_pad=False),
    nn.AvgPool2d(2, 2, ceil_mode=True),
    nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False),
    nn.AvgPool2d(3, 2, 1, ceil_mode=True, divisor_override=5),
    nn.AvgPool2d(3, divisor_override=2),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d((2, None)),
    nn.AdaptiveAvgPool2d((4, 3)),
    nn.AdaptiveMaxPool2d(1),
    nn.AdaptiveMaxPool2d((3, 7)),
    nn.Upsample(scale_factor=2),
    nn.Upsample(size=(18, 21)),
    nn.UpsamplingNearest2d(scale_factor=3),
    nn.ZeroPad2d((1, 2, 0, 3)),
    nn.ZeroPad2d((-1, 2, 0, -3)),
    nn.ConstantPad2d(1, 0.0),
    nn.Flatten(),
    nn.Identity(),
    nn.Dropout(0.5),
    nn.Dropout2d(0.5),
    nn.Softmax(dim=1),
    nn.Sigmoid(),
    nn.Sequential(nn.ReplicationPad2d((1, 1, 0, 1)), nn.MaxPool2d(2, 1)),
    nn.Sequential(nn.ConstantPad2d((0, 1, 1, 1), float("-inf")), nn.MaxPool2d(3, 2, ceil_mode=True)),
    nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 6, 3)),
    nn.utils.spectral_norm(nn.Conv2d(4, 6, 3)),
    nn.DataParallel(nn.ReLU()),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module).replace("\n", ""))
def test_modules(module):
    assert_same(settled(module), sample(4, 9, 7))


@pytest.mark.parametrize("module", [nn.LogSoftmax(dim=1), Apply(lambda m, x: F.log_softmax(x, -3))], ids=str)
def test_log_softmax_becomes_softmax_which_ranks_alike(module):
    assert isinstance(trace(module.eval(), sample(4, 9, 7)).layers[-1].operator, op.Softmax)


MODULES_1D = [
    nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2),
    nn.Conv1d(4, 8, 4, padding="same", groups=4),
    nn.BatchNorm1d(4),
    nn.MaxPool1d(3, 2, 1, ceil_mode=True),
    nn.AvgPool1d(3, 2, 1),
    nn.AdaptiveAvgPool1d(5),
    nn.AdaptiveMaxPool1d(1),
    nn.Upsample(scale_factor=3),
    nn.ConstantPad1d((2, 1), 0.0),
    nn.Sequential(nn.ReplicationPad1d((0, 1)), nn.MaxPool1d(2, 1)),
    nn.Flatten(),
]


@pytest.mark.parametrize("module", MODULES_1D, ids=str)
def test_modules_on_sequences(module):
    assert_same(settled(module), sample(4, 11))


@pytest.mark.parametrize("module", [nn.Linear(6, 4), nn.Linear(6, 4, bias=False), nn.BatchNorm1d(6)], ids=str)
def test_modules_on_vectors(module):
    assert_same(settled(module), sample(6))


FUNCTIONS = {
    "conv2d": lambda m, x: F.conv2d(x, m.weight, stride=2, padding=1),
    "NumPy sizes": lambda m, x: F.max_pool2d(x, np.int64(3), stride=[2], padding=(np.int64(1), 0)),
    "conv2d of computed weights": lambda m, x: F.conv2d(x, m.weight * 2 + 1, padding="same"),
    "relu": lambda m, x: torch.relu(x) + x.relu() + F.relu(x),
    "relu_": lambda m, x: F.relu_(x * 2),
    "clamp": lambda m, x: x.clamp(min=0) + torch.clamp(x, 0, 1.5) + x.clamp_min(0),
    "leaky": lambda m, x: F.leaky_relu(x, 0.3),
    "prelu": lambda m, x: F.prelu(x, m.slopes),
    "max_pool": lambda m, x: F.max_pool2d(x, 3, stride=2, padding=1, ceil_mode=True),
    "avg_pool with computed kernel": lambda m, x: F.avg_pool2d(x, (x.shape[-2], x.size(3))),
    "mean over both": lambda m, x: x.mean((2, 3)),
    "mean with keepdim": lambda m, x: torch.mean(x, dim=[-2, -1], keepdim=True),
    "mean over rows": lambda m, x: x.mean(2, keepdim=True),
    "interpolate to a size": lambda m, x: F.interpolate(x, size=(x.shape[2] * 2, x.shape[3])),
    "add constants": lambda m, x: x + 1 + m.slopes.view(1, 4, 1, 1) + (2 + x),
    "add alpha": lambda m, x: torch.add(x, x.relu(), alpha=0.5),
    "add itself": lambda m, x: x + x,
    "sub": lambda m, x: x - x.relu(),
    "sub alpha": lambda m, x: torch.sub(x, x.relu(), alpha=3),
    "rsub": lambda m, x: 1 - x,
    "rsub tensor": lambda m, x: m.slopes.view(4, 1, 1) - x,
    "mul": lambda m, x: 3 * x * m.slopes.reshape(-1, 1, 1),
    "div": lambda m, x: x / 255.0 / torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 4, 1, 1),
    "neg": lambda m, x: -x,
    "cat": lambda m, x: torch.cat([x, x.relu(), x[:, :1]], dim=1),
    "cat with axis from behind": lambda m, x: torch.cat((x.relu(), x), -3),
    "cat with zeros": lambda m, x: torch.cat([torch.zeros_like(x), x, x.new_zeros(len(x), 2, 9, 7)], 1),
    "cat with two and zeros": lambda m, x: torch.cat([x.relu(), x, torch.zeros(x.size(0), 3, 9, 7)], 1),
    "cat with x.mul(0)": lambda m, x: torch.cat((x, x.mul(0)), 1),
    "option A": lambda m, x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8)),
    "pad and crop": lambda m, x: F.pad(x, (-1, 2, 1, -1, 0, 3)),
    "pad with -inf": lambda m, x: F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 2, 1),
    "pad nothing": lambda m, x: F.pad(x, (0, 0)),
    "slices": lambda m, x: x[:, 1:3, 2:, :-2],
    "strides": lambda m, x: x[..., 1::3, ::2],
    "index": lambda m, x: x[:, :, 0, -1],
    "chunk": lambda m, x: torch.cat(x.chunk(2, dim=1)[::-1], 1),
    "split": lambda m, x: torch.split(x, [1, 3], dim=1)[1],
    "split along columns": lambda m, x: x.split(3, 3)[0],
    "unpacked": lambda m, x: (lambda a, b: a + b)(*x.chunk(2, 1)),
    "flatten": lambda m, x: torch.flatten(x, 1),
    "view": lambda m, x: x.view(x.size(0), -1),
    "reshape": lambda m, x: x.reshape(x.shape[0], 4 * 9 * 7),
    "squeeze": lambda m, x: F.adaptive_avg_pool2d(x, 1).squeeze(),
    "unsqueeze": lambda m, x: x.mean((2, 3)).unsqueeze(-1).unsqueeze(-1),
    "no-ops": lambda m, x: x.contiguous().clone().detach().float().to(torch.float32).data * 2,
    "functional dropout": lambda m, x: F.dropout(x, 0.5, training=m.training),
    "functional batch norm": lambda m, x: F.batch_norm(x, m.slopes, m.slopes + 1, m.slopes, None),
    "matmul": lambda m, x: x.mean((2, 3)) @ m.weight[:, :, 0, 0],
    "shape-dependent branch": lambda m, x: x.relu() if x.shape[2] > 5 and x.dim() == 4 else -x,
    "isinstance": lambda m, x: x.relu() if isinstance(x, torch.Tensor) else x * x,
    "module made on the fly": lambda m, x: nn.MaxPool2d(3)(x),
    "dead code": lambda m, x: (x.tanh(), x.relu())[1],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    assert_same(Apply(FUNCTIONS[name]).eval(), sample(4, 9, 7))


def in_place_addition(m, x):
    y = x.relu()
    kept = y
    y += 1
    return y * 2 + kept  # `kept` is `y`, so it has grown as well


def in_place_activation(m, x):
    y = x * 2
    z = F.relu(y, inplace=True)
    return z + y


@pytest.mark.parametrize("function", [in_place_addition, in_place_activation])
def test_operations_in_place_change_what_other_names_see(function):
    assert_same(Apply(function).eval(), sample(4, 9, 7))


def test_the_example_is_not_changed():
    example = sample(4, 9, 7)
    before = example.clone()
    trace(nn.ReLU(inplace=True).eval(), example)
    assert torch.equal(example, before)


@pytest.mark.parametrize("batch", [1, 5])
def test_graph_does_not_depend_on_the_batch_of_the_example(batch):
    graph = trace(settled(ResNet()), torch.zeros(batch, 3, 16, 16))
    assert graph.layer("linear").shape == (10, 1, 1)


def test_double_precision_module():
    assert_same(settled(ResNet().double()), sample(3, 16, 16).double())


def test_names_are_qualified_module_names():
    graph = trace(settled(ResNet()), sample(3, 16, 16))
    names = [layer.name for layer in graph.layers]
    for name in ("input", "conv1", "layer2.0.bn1", "layer2.0.shortcut.pad", "layer3.0.relu_1", "linear"):
        assert name in names


def test_a_reused_module_gives_layers_of_distinct_names():
    relu = nn.ReLU()
    graph = trace(nn.Sequential(relu, nn.Flatten(), relu, relu).eval(), sample(4, 3, 3))
    assert [layer.name for layer in graph.layers] == ["input", "0", "1", "0_1", "0_2"]


def test_locations_point_into_the_network():
    graph = trace(settled(ResNet()), sample(3, 16, 16))
    assert all("traced_networks.py:" in layer.location for layer in graph.layers[1:])
    line = int(graph.layer("linear").location.rsplit(":", 1)[1])
    source = Path(__file__).with_name("traced_networks.py").read_text().splitlines()
    assert "self.linear(out)" in source[line - 1]


def test_several_outputs_keep_their_order():
    graph = trace(settled(TinyYolo()), sample(3, 16, 16))
    assert graph.outputs == ("head_coarse", "head_fine")


def test_a_layer_returned_twice_is_two_outputs():
    graph = assert_same(Apply(lambda m, x: [x.relu()] * 2).eval(), sample(4, 9, 7))
    assert len(set(graph.outputs)) == 2


def test_nested_outputs_and_none():
    graph = trace(Apply(lambda m, x: (x.relu(), {"more": [x * 2, None]})).eval(), sample(4, 9, 7))
    assert graph.outputs == ("relu", "mul")


def test_default_arguments_of_forward_apply():
    class Optional(nn.Module):
        def forward(self, x, scale=2.0, features=False):
            return (x * scale, x) if features else x * scale

    assert_same(Optional().eval(), sample(4, 3, 3))


def test_unused_pieces_leave_no_layers():
    graph = trace(Apply(lambda m, x: x.chunk(2, 1)[0].relu()).eval(), sample(4, 9, 7))
    assert len(graph.layers) == 3


def test_tracing_under_inference_mode():
    with torch.inference_mode():
        graph = trace(settled(ResNet()), torch.zeros(1, 3, 16, 16))
    assert graph.outputs == ("linear",)


def test_weights_are_copies():
    module = nn.Linear(3, 2).eval()
    graph = trace(module, torch.zeros(1, 3))
    with torch.no_grad():
        module.weight.fill_(9)
    assert (graph.layers[-1].operator.weight != 9).all()
