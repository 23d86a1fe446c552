"""Rewriting the layer graph leaves its function as it is: torch against the layers that are left."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from nmdeploy.frontend.trace import trace
from nmdeploy.layers import operators as op
from nmdeploy.layers.verify import verify
from nmdeploy.simplify import simplify


class Net(nn.Module):
    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.function = function

    def forward(self, x):
        return self.function(self, x)


def settled(module):
    generator = torch.Generator().manual_seed(5)
    for part in module.modules():
        for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if tensor.is_floating_point():
                tensor.data = torch.rand(tensor.shape, generator=generator) + (0.5 if name == "running_var" else -0.5)
    return module.eval()


def samples(*shape):
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(6))


def run(graph, x):
    """The few operators that simplified graphs of this file hold, straight from torch."""
    values = {}
    for layer in graph.layers:
        operator, inputs = layer.operator, [values[name] for name in layer.inputs]
        values[layer.name] = x if isinstance(operator, op.Input) else OPERATORS[type(operator)](operator, *inputs)
    return torch.cat([values[name].flatten(1) for name in graph.outputs], 1)


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def pooled(pool, x):
    top, bottom, left, right = pool.padding
    return F.max_pool2d(F.pad(x, (left, right, top, bottom), value=-torch.inf), pool.kernel, pool.stride)


def convolved(conv, x):
    top, bottom, left, right = conv.padding
    weight, bias = tensors(conv.weight, conv.bias)
    return F.conv2d(F.pad(x, (left, right, top, bottom)), weight, bias, conv.stride, 0, conv.dilation, conv.groups)


OPERATORS = {
    op.Convolution: convolved,
    op.Linear: lambda linear, x: F.linear(x.flatten(1), *tensors(linear.weight, linear.bias))[:, :, None, None],
    op.Affine: lambda affine, x: x * tensors(affine.scale)[0][:, None, None] + tensors(affine.shift)[0][:, None, None],
    op.ReLU: lambda relu, x: x.clamp(0, relu.ceiling),
    op.MaxPool: pooled,
    op.Add: lambda _, *x: sum(x),
    op.Concatenate: lambda _, *x: torch.cat(x, 1),
    op.Flatten: lambda _, x: x.flatten(1)[:, :, None, None],
}


def conv(channels_in, channels, **options):
    return nn.Conv2d(channels_in, channels, 3, padding=1, **options)


def bn(channels):
    return nn.BatchNorm2d(channels)


def shared_conv(self, x):
    a = self.a(x)
    return self.b(F.relu(self.bn(a)) + a)


def shared_norm(self, x):
    a = self.bn(self.a(x))
    return self.b(F.relu(self.bn2(a)) + a)


def rectified_twice(self, x):
    """The first rectifier has two users, so the second one must not move in front of the pool."""
    once = F.relu(F.max_pool2d(self.a(x), 2))
    return self.b(once) + self.c(once.clamp(0, 0.2))


def pool_used_twice(self, x):
    pool = F.max_pool2d(self.a(x), 2)
    return self.b(F.relu(pool)) + self.c(pool)


def rectified_pool_as_output(self, x):
    pool = F.max_pool2d(self.a(x), 2)
    once = F.relu(pool)
    return once, once.clamp(0, 0.2)


NETWORKS = {
    "conv, BatchNorm": nn.Sequential(conv(4, 3, bias=False), bn(3), nn.ReLU(), conv(3, 2), bn(2)),
    "grouped conv, BatchNorm": nn.Sequential(conv(4, 6, groups=2), bn(6), nn.ReLU()),
    "BatchNorm, conv": nn.Sequential(bn(4), conv(4, 3), nn.ReLU(), bn(3), conv(3, 2)),
    "BatchNorm twice": nn.Sequential(conv(4, 3), bn(3), nn.Identity(), bn(3), nn.ReLU()),
    "linear, BatchNorm": nn.Sequential(nn.Flatten(), nn.Linear(4 * 36, 5), nn.BatchNorm1d(5), nn.ReLU()),
    "dropout, identity": nn.Sequential(nn.Identity(), conv(4, 3), nn.Dropout(), nn.Identity(), bn(3), nn.Dropout()),
    "conv with two users": Net(shared_conv, a=conv(4, 3), bn=bn(3), b=conv(3, 2)),
    "BatchNorm with two users": Net(shared_norm, a=conv(4, 3), bn=bn(3), bn2=bn(3), b=conv(3, 2)),
    "conv is also an output": Net(lambda self, x: (lambda a: (a, self.bn(a)))(self.a(x)), a=conv(4, 3), bn=bn(3)),
    "max pool, ReLU": nn.Sequential(conv(4, 3), nn.MaxPool2d(3, 2, 1), nn.ReLU(), conv(3, 2)),
    "max pool, max pool, ReLU, ReLU6": nn.Sequential(
        conv(4, 3), nn.MaxPool2d(2), nn.MaxPool2d(2, 1), nn.ReLU(), nn.Hardtanh(0, 0.3), conv(3, 2)
    ),
    "max pool with two users": Net(pool_used_twice, a=conv(4, 3), b=conv(3, 2), c=conv(3, 2)),
    "rectified pool with two users": Net(rectified_twice, a=conv(4, 3), b=conv(3, 2), c=conv(3, 2)),
    "rectified pool as output": Net(rectified_pool_as_output, a=conv(4, 3)),
    "BatchNorm of the input": Net(lambda self, x: torch.cat([self.bn(x), x], 1), bn=bn(4)),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_function_is_unchanged(name):
    module, x = settled(NETWORKS[name]), samples(4, 6, 6)
    simple = simplify(trace(module, x))
    assert verify(simple) == []
    kinds = {type(layer.operator) for layer in simple.layers}
    assert not kinds & {op.Identity, op.BatchNorm}
    with torch.no_grad():
        expected = module(x)
    expected = torch.cat([one.flatten(1) for one in expected], 1) if name.endswith("output") else expected.flatten(1)
    assert np.ptp(expected.numpy()) > 0.1
    torch.testing.assert_close(run(simple, x), expected, rtol=0, atol=1e-5)


def operators(module):
    return [layer.operator for layer in simplify(trace(module.eval(), samples(4, 6, 6))).layers]


def kinds(module):
    return [type(operator).__name__ for operator in operators(module)]


def test_batch_norm_vanishes_into_the_conv_before_it():
    assert kinds(settled(NETWORKS["conv, BatchNorm"])) == ["Input", "Convolution", "ReLU", "Convolution"]


@pytest.mark.parametrize("name", ["conv with two users", "conv is also an output"])
def test_batch_norm_of_a_conv_with_other_users_stays_apart(name):
    module = settled(NETWORKS[name])
    found = operators(module)
    assert [operator for operator in found if isinstance(operator, op.Affine)]
    weight = next(operator.weight for operator in found if isinstance(operator, op.Convolution))
    np.testing.assert_array_equal(weight, module.a.weight.detach().numpy())


def test_rectifier_moves_in_front_of_max_pool_only_if_nobody_else_reads_the_pool():
    assert kinds(settled(NETWORKS["max pool, ReLU"]))[1:4] == ["Convolution", "ReLU", "MaxPool"]
    assert kinds(settled(NETWORKS["max pool with two users"]))[1:4] == ["Convolution", "MaxPool", "ReLU"]


def test_the_graph_given_is_not_changed():
    graph = trace(settled(NETWORKS["conv, BatchNorm"]), samples(4, 6, 6))
    before = [(layer.name, type(layer.operator), layer.inputs) for layer in graph.layers]
    simplify(graph)
    assert [(layer.name, type(layer.operator), layer.inputs) for layer in graph.layers] == before
