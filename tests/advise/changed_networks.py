"""Networks to change, and torch modules as layer graphs with what they compute."""

import torch
from torch import nn

import nmdeploy as package
from nmdeploy.cli.advise import _few_samples
from nmdeploy.frontend.load import load_model
from nmdeploy.layers import operators as op


def saved(folder, module, shape, name="model.pt"):
    package.save(module.eval(), torch.zeros(1, *shape), folder / name)
    return folder / name


def graph_of(folder, module, shape):
    return load_model(saved(folder, module, shape)).layers


def few_samples(path):
    return _few_samples(load_model(path))


class Branches(nn.Module):
    """A shortcut, a concatenation, depthwise and grouped convolutions, pooling, slicing and two dense layers."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.stem = nn.Conv2d(2, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.left = nn.Conv2d(8, 6, 3, padding=1)
        self.right = nn.Conv2d(8, 4, 1)
        self.depthwise = nn.Conv2d(10, 20, 3, padding=1, groups=10)
        self.mix = nn.Conv2d(20, 12, 1)
        self.grouped = nn.Conv2d(12, 12, 3, padding=1, groups=2)
        self.inner = nn.Conv2d(12, 12, 3, padding=1)
        self.outer = nn.Conv2d(12, 12, 1)
        self.hidden = nn.Linear(12 * 3 * 3, 7)
        self.out = nn.Linear(7, 3)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.running_mean)
                nn.init.normal_(module.weight)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem(x)))
        x = torch.cat([torch.relu(self.left(x)), torch.relu(self.right(x))], 1)
        x = torch.relu(self.depthwise(x))
        x = torch.relu(self.mix(x))
        x = torch.relu(self.grouped(nn.functional.avg_pool2d(x, 2)))
        x = torch.relu(self.outer(torch.relu(self.inner(x))) + x)
        return self.out(torch.relu(self.hidden(x.flatten(1))))


BRANCHES_SHAPE = (2, 6, 6)


def outputs(graph, samples):
    """What a layer graph computes, by torch, from the operators' definitions alone."""
    values = {}
    for layer in graph.layers:
        values[layer.name] = _apply(layer.operator, [values[name] for name in layer.inputs], samples)
        assert tuple(values[layer.name].shape[1:]) == layer.shape, layer.name
    return values[graph.outputs[0]].numpy()


def _apply(operator, inputs, samples):
    x = inputs[0] if inputs else torch.from_numpy(samples)
    f = nn.functional
    if isinstance(operator, op.Input | op.Identity):
        return x
    if isinstance(operator, op.Convolution):
        top, bottom, left, right = operator.padding
        weight, bias = torch.from_numpy(operator.weight), torch.from_numpy(operator.bias)
        padded = f.pad(x, (left, right, top, bottom))
        return f.conv2d(padded, weight, bias, operator.stride, 0, operator.dilation, operator.groups)
    if isinstance(operator, op.Linear):
        vector = f.linear(x[:, :, 0, 0], torch.from_numpy(operator.weight), torch.from_numpy(operator.bias))
        return vector[..., None, None]
    if isinstance(operator, op.BatchNorm):
        arrays = (operator.mean, operator.variance, operator.weight, operator.bias)
        return f.batch_norm(x, *map(torch.from_numpy, arrays), eps=operator.epsilon)
    if isinstance(operator, op.ReLU):
        return torch.relu(x)
    if isinstance(operator, op.AveragePool):
        assert operator.padding == (0, 0, 0, 0)
        return f.avg_pool2d(x, operator.kernel, operator.stride)
    if isinstance(operator, op.Flatten):
        return x.flatten(1)[..., None, None]
    if isinstance(operator, op.Add):
        return sum(inputs[1:], x)
    if isinstance(operator, op.Concatenate):
        return torch.cat(inputs, 1)
    raise AssertionError(type(operator))

