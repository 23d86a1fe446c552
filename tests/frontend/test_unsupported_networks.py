"""Every kind of network that cannot be converted is reported with its place and the way out."""

import re
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from traced_networks import ResNet, settled

from nmdeploy.errors import UnsupportedNetworkError
from nmdeploy.frontend.locations import _is_users
from nmdeploy.frontend.trace import trace


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def problems_of(module, *shape, batch=1):
    with pytest.raises(UnsupportedNetworkError) as caught:
        trace(module.eval(), torch.randn(batch, *(shape or (4, 8, 8))))
    return caught.value.problems


def test_all_problems_are_listed_at_once_with_their_lines():
    class Modern(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 8, 3)
            self.act = nn.SiLU()
            self.gate = nn.Linear(8, 8)
            self.norm = nn.LayerNorm(8)

        def forward(self, x):
            x = self.act(self.conv(x))
            x = x * torch.sigmoid(x)  # a gate
            x = F.gelu(x.mean((2, 3)))
            return self.norm(self.gate(x))

    problems = problems_of(Modern())
    assert [problem.split(":")[0] for problem in problems] == ["act", "mul", "gelu", "norm"]
    assert "SiLU has no rule" in problems[0]
    assert "Replace it by ReLU" in problems[0]
    assert "tensor by a tensor" in problems[1]
    assert "BatchNorm" in problems[3]
    lines = [int(re.search(r"test_unsupported_networks\.py:(\d+)\)", problem)[1]) for problem in problems]
    assert lines == sorted(lines)
    source = Path(__file__).read_text().splitlines()
    assert "# a gate" in source[lines[1] - 1]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (nn.GELU(), "GELU"),
        (nn.Hardswish(), "Hardswish"),
        (nn.GroupNorm(2, 4), "GroupNorm"),
        (nn.ConvTranspose2d(4, 4, 2), "ConvTranspose2d"),
        (nn.PixelShuffle(2), "PixelShuffle"),
        (nn.ReflectionPad2d(1), "ReflectionPad2d"),
        (nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), "padding_mode"),
        (nn.MaxPool2d(2, return_indices=True), "MaxPool2d"),
        (nn.AvgPool2d(3, 2, 1, ceil_mode=True), "ceil_mode"),
        (nn.AdaptiveMaxPool2d(3), "unequal windows"),
        (nn.Upsample(scale_factor=2, mode="bilinear"), "bilinear"),
        (nn.Upsample(scale_factor=1.5), "whole factors"),
        (nn.Hardtanh(), "Clamp at min=0"),
        (nn.ConstantPad2d(1, 2.0), "Pad with zeros"),
        (nn.ReplicationPad2d(1), "in front of a max pool"),
        (nn.Sequential(nn.ReplicationPad2d(1), nn.Conv2d(4, 4, 3)), "in front of a max pool"),
        (nn.Sequential(nn.ReplicationPad2d(3), nn.MaxPool2d(2)), "not smaller than the window"),
        (nn.BatchNorm2d(4, track_running_stats=False), "statistics of the batch"),
        (nn.Softmax(dim=2), "dim=1"),
        (nn.Linear(8, 8), "Linear"),
        (nn.Softmax2d(), "Softmax2d has no rule"),
    ],
    ids=lambda value: str(value),
)
def test_modules(module, name):
    (problem,) = problems_of(module)
    assert name in problem


@pytest.mark.parametrize("module", [nn.LSTM(8, 4, batch_first=True), nn.MultiheadAttention(8, 2)], ids=str)
def test_layers_of_other_kinds(module):
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = module

        def forward(self, x):
            return self.inner(x, x, x)[0] if isinstance(module, nn.MultiheadAttention) else self.inner(x)[0]

    (problem,) = problems_of(Recurrent(), 4, 8)
    assert type(module).__name__ in problem


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x: x * x.relu(), "multiplies a tensor by a tensor"),
        (lambda x: 1 / x, "divides by a tensor"),
        (lambda x: x / 0, "infinity"),
        (lambda x: x + torch.arange(8.0), "varies over rows"),
        (lambda x: x + x.mean((2, 3), keepdim=True), "adds tensors of shapes"),
        (lambda x: x.clamp(-1, 1), "Clamp at min=0"),
        (lambda x: x.clamp(max=1), "Clamp at min=0"),
        (lambda x: F.dropout(x), "dropout is active"),
        (lambda x: x.view(-1), "mixes the samples"),
        (lambda x: x.view(x.size(0), 8, 4, 8), "Only flattening"),
        (lambda x: x.permute(0, 2, 3, 1), "permute has no rule"),
        (lambda x: x[0], "part of the batch"),
        (lambda x: x[:, [0, 2]], "Only slices"),
        (lambda x: x.mean(0), "Means over rows"),
        (lambda x: x.mean(), "Means over rows"),
        (lambda x: torch.cat([x, x], 2), "Only the channels"),
        (lambda x: torch.cat([x, torch.ones(2, 1, 8, 8)], 1), "not zero"),
        (lambda x: F.conv2d(x, x[:, :, :3, :3].relu()), "depends on the input"),
        (lambda x: torch.sigmoid(x) + 1, "Sigmoid inside the network"),
        (lambda x: F.softmax(x, 1).mean((2, 3)), "Softmax inside the network"),
        (lambda x: x.half().float(), "half"),
        (lambda x: x.mean((2, 3)).argmax(1), "Return the scores"),
        (lambda x: torch.cat([x, x.sort(1)[0]], 1), "sort has no rule"),
        (lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), "bicubic"),
        (lambda x: (x.relu(), 3), "returns a int"),
        (lambda x: torch.zeros(3), "returns a Tensor"),
        (lambda x: None, "nothing that depends"),
        (lambda x: F.relu(x).new_thing(), "has no attribute 'new_thing'"),
        (lambda x: torch.batch_norm(x, None, None, torch.zeros(4), torch.ones(4), True, 0.1, 1e-5, False), ""),
    ],
)
def test_functions(function, text):
    problems = problems_of(Apply(function))
    assert any(text in problem for problem in problems), problems


def branch(x):
    if x.sum() > 0:
        return x.relu()
    return -x


@pytest.mark.parametrize(
    "function",
    [
        branch,
        lambda x: x * x.max().item(),
        lambda x: x * float(x.max()),
        lambda x: x * int(x.max()),
        lambda x: x[:, : int(x.argmax()) % 3 + 1],
        lambda x: x.relu() if torch.equal(x, x) else x,
        lambda x: x.relu() if 3 in x else x,
        lambda x: x * x.mean((0, 1, 2)).tolist()[0],
    ],
)
def test_looking_at_values_is_reported_with_its_line(function):
    problems = problems_of(Apply(function))
    assert any("values of tensors" in problem or "data-dependent" in problem for problem in problems)
    assert all("test_unsupported_networks.py:" in problem for problem in problems)


def test_problems_behind_a_data_dependent_branch_are_found_too():
    def function(x):
        if x.sum() > 0:
            x = x.tanh()
        return F.gelu(x)

    problems = problems_of(Apply(function))
    assert len(problems) >= 2
    assert any("gelu" in problem for problem in problems)


def test_assignment_to_a_part_in_place():
    def function(x):
        x = x.relu()
        x[:, 0] = 0
        return x

    assert any("assigns" in problem for problem in problems_of(Apply(function)))


def test_a_change_in_place_through_a_view():
    def function(x):
        y = x * 1
        F.relu_(y.view(y.size(0), -1))
        return y

    (problem,) = problems_of(Apply(function))
    assert "changed in place" in problem


def test_training_mode_is_named_and_left_as_it_was():
    network = ResNet().train()
    mean = network.bn1.running_mean.clone()
    with pytest.raises(UnsupportedNetworkError, match=r"training mode.*module\.eval"):
        trace(network, torch.randn(1, 3, 16, 16))
    assert network.training
    assert network.bn1.training
    assert torch.equal(network.bn1.running_mean, mean)


def test_one_layer_in_training_mode():
    network = settled(ResNet())
    network.layer2[0].bn1.train()
    with pytest.raises(UnsupportedNetworkError, match=r"training mode \(layer2\.0\.bn1\)"):
        trace(network, torch.randn(1, 3, 16, 16))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e300])
def test_weights_that_are_not_finite(bad):
    network = settled(ResNet()).double()
    with torch.no_grad():
        network.layer1[0].conv1.weight[0, 0, 0, 0] = bad
    with pytest.raises(UnsupportedNetworkError, match=r"layer1\.0\.conv1: .*weight holds NaN or infinity"):
        trace(network, torch.randn(1, 3, 16, 16).double())


@pytest.mark.parametrize(
    ("example", "text"),
    [
        (torch.zeros(1, 3, 16, 16, dtype=torch.uint8), "scale=255"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.int64), "floating point"),
        (torch.zeros(16), "Give"),
        (torch.zeros(1, 3, 4, 16, 16), "Give"),
        (torch.zeros(0, 3, 16, 16), "Give"),
        ([torch.zeros(1, 3, 16, 16)], "not one tensor but list"),
        (torch.zeros(1, 1, 16, 16), "forward fails on a batch of shape"),
        (torch.zeros(3, 16, 16), "forward fails on a batch of shape"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.float64), "forward fails on a batch"),
    ],
)
def test_wrong_examples(example, text):
    with pytest.raises(UnsupportedNetworkError, match=re.escape(text)):
        trace(settled(ResNet()), example)


def test_what_is_no_module():
    with pytest.raises(UnsupportedNetworkError, match=r"not a torch\.nn\.Module but dict"):
        trace({}, torch.zeros(1, 3))
    with pytest.raises(UnsupportedNetworkError, match="TorchScript"):
        trace(torch.jit.script(nn.ReLU()), torch.zeros(1, 3))


def test_several_inputs():
    class Two(nn.Module):
        def forward(self, x, y):
            return x + y

    (problem,) = problems_of(Two())
    assert "'y'" in problem


def test_a_failing_forward_names_the_line_and_what_came_before():
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.SiLU()

        def forward(self, x):
            x = self.act(x)
            raise ValueError("oh no")

    problems = problems_of(Failing())
    assert any(re.search(r"ValueError: oh no \(.*test_unsupported_networks\.py:\d+\)", text) for text in problems)
    assert any("SiLU has no rule" in text for text in problems)


def test_hooks_and_replaced_forwards_are_not_overlooked():
    hooked = nn.ReLU()
    hooked.register_forward_hook(lambda module, inputs, output: output + 1)
    replaced = nn.ReLU()
    replaced.forward = lambda x: x + 1
    before = nn.ReLU()
    before.register_forward_pre_hook(lambda module, inputs: (inputs[0] + 1,))
    problems = problems_of(nn.Sequential(hooked, replaced, before))
    assert len(problems) == 3
    assert all("hook" in problem for problem in problems)


def test_a_subclass_with_its_own_forward_has_no_rule_of_its_base():
    class Shifted(nn.ReLU):
        def forward(self, x):
            return torch.tanh(super().forward(x))

    (problem,) = problems_of(Shifted())
    assert "tanh" in problem


def test_a_subclass_within_torch_with_its_own_forward_has_no_rule_of_its_base():
    class Shifted(nn.ReLU):
        def forward(self, x):
            return torch.tanh(x)

    Shifted.__module__ = "torch.nn.shifted"  # so that it is taken for a layer, as those of quantised training are
    (problem,) = problems_of(Shifted())
    assert "Shifted has no rule" in problem


def test_libraries_beside_torch_are_the_users_code():
    beside = Path(torch.__file__).parent.with_name("torchvision") / "models" / "resnet.py"
    assert _is_users(str(beside))
    assert not _is_users(torch.nn.functional.__file__)


def test_functions_of_other_libraries_are_not_taken_for_torch():
    (problem,) = problems_of(Apply(lambda x: relu(x)))
    assert "relu has no rule" in problem


def relu(x):
    return torch.tanh(x)


torch.fx.wrap("relu")
