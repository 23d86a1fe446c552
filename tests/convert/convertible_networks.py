"""Small torch networks, one for each construction that has an exact conversion."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """Named parts and a function that joins them."""

    def __init__(self, function, **parts):
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self._function = function

    def forward(self, x):
        return self._function(self, x)


def settled(module, seed=1):
    """In evaluation mode, every parameter and statistic away from its fresh value; gains of both signs."""
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if tensor.is_floating_point():
                low, high = (0.5, 1.5) if name == "running_var" else (-0.6, 0.6)
                with torch.no_grad():
                    tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return module.eval()


def samples(*shape, seed=2, count=3):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def conv(channels_in, channels, kernel=3, **options):
    return nn.Conv2d(channels_in, channels, kernel, **{"padding": 1, **options})


def basic_block(channels_in, channels, stride, option):
    """A residual block; option A pads channels, option B projects."""

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        shortcut = x
        if option == "A":
            missing = channels - channels_in
            shortcut = F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, missing // 2, missing - missing // 2))
        elif option == "B":
            shortcut = self.bn3(self.project(x))
        return F.relu(out + shortcut)

    projection = {
        "project": nn.Conv2d(channels_in, channels, 1, stride, bias=False),
        "bn3": nn.BatchNorm2d(channels),
    }
    return Net(
        forward,
        conv1=conv(channels_in, channels, stride=stride, bias=False),
        bn1=nn.BatchNorm2d(channels),
        conv2=conv(channels, channels, bias=False),
        bn2=nn.BatchNorm2d(channels),
        **(projection if option == "B" else {}),
    )


def pre_activation_block(channels):
    return Net(
        lambda self, x: x + self.conv2(F.relu(self.bn2(self.conv1(F.relu(self.bn1(x)))))),
        bn1=nn.BatchNorm2d(channels),
        conv1=conv(channels, channels),
        bn2=nn.BatchNorm2d(channels),
        conv2=conv(channels, channels),
    )


def replicate_then_pool(self, x):
    """Tiny YOLO's max pool of stride 1, padded right and bottom."""
    return F.max_pool2d(F.pad(self.a(x), (0, 1, 0, 1), mode="replicate"), 2, stride=1)


def shared_features(self, x):
    """Two outputs, one of them from a hidden rectified map that goes on."""
    features = F.relu(self.a(x))
    return self.b(features), F.relu(self.c(features)).mean((2, 3))


def split_and_swap(self, x):
    first, second = torch.chunk(F.relu(self.a(x)), 2, dim=1)
    return self.b(torch.cat([second, first, second], dim=1))


IMAGE = (4, 7, 6)



def chain(*parts):
    return nn.Sequential(*parts)


def after_conv(*parts):
    """The parts after a convolution, before a readout of them."""
    return chain(conv(4, 4), *parts)


# name: (module, shape of a sample)
NETWORKS = {
    # convolutions
    "stride": (chain(conv(4, 3, stride=2), nn.ReLU(), conv(3, 2, (2, 3), stride=(1, 2))), IMAGE),
    "padding of each side": (
        chain(nn.ZeroPad2d((2, 0, 1, 3)), conv(4, 3, padding=0), nn.ReLU(), nn.ZeroPad2d((0, 1, 2, 0)), conv(3, 2)),
        IMAGE,
    ),
    "same padding, even kernel": (chain(conv(4, 3, (4, 2), padding="same"), nn.ReLU()), IMAGE),
    "dilation": (chain(conv(4, 3, dilation=2, padding=2), nn.ReLU(), conv(3, 2, dilation=(1, 2))), IMAGE),
    "groups": (chain(conv(4, 6, groups=2), nn.ReLU(), conv(6, 9, groups=3)), IMAGE),
    "depthwise": (chain(conv(4, 4, groups=4), nn.ReLU(), conv(4, 8, groups=4), nn.ReLU(), conv(8, 3, 1)), IMAGE),
    "conv1d": (
        chain(nn.Conv1d(2, 5, 5, stride=2, padding=2), nn.ReLU(), nn.Conv1d(5, 4, 3, dilation=2, groups=1)),
        (2, 17),
    ),
    "kernel larger than the map": (chain(conv(4, 3, 5, padding=3), nn.ReLU(), conv(3, 2)), (4, 2, 3)),
    # linear after linear
    "conv on conv": (chain(conv(4, 5), conv(5, 3)), IMAGE),
    "conv on strided conv on conv": (chain(conv(4, 5), conv(5, 3, stride=2, padding=2), conv(3, 4, dilation=2)), IMAGE),
    "grouped on grouped": (chain(conv(4, 4, groups=2), conv(4, 8, groups=4), conv(8, 4, groups=2)), IMAGE),
    "depthwise on dense on depthwise": (chain(conv(4, 4, groups=4), conv(4, 6), conv(6, 6, groups=6)), IMAGE),
    "hidden conv on conv": (chain(conv(4, 5), nn.ReLU(), conv(5, 3), conv(3, 4), nn.ReLU(), conv(4, 2)), IMAGE),
    "linear on linear": (chain(nn.Linear(9, 7), nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3)), (9,)),
    # BatchNorm
    "BatchNorm before padded conv": (chain(nn.BatchNorm2d(4), conv(4, 3), nn.ReLU(), conv(3, 2)), IMAGE),
    "BatchNorm between ReLU and padded conv": (
        chain(conv(4, 5), nn.ReLU(), nn.BatchNorm2d(5), conv(5, 3, stride=2), nn.ReLU()),
        IMAGE,
    ),
    "BatchNorm after BatchNorm": (chain(conv(4, 3), nn.BatchNorm2d(3), nn.BatchNorm2d(3), nn.ReLU()), IMAGE),
    "BatchNorm1d after linear": (chain(nn.Linear(9, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3)), (9,)),
    "BatchNorm after addition": (
        Net(lambda self, x: F.relu(self.bn(self.a(x) + self.b(x))), a=conv(4, 3), b=conv(4, 3), bn=nn.BatchNorm2d(3)),
        IMAGE,
    ),
    "BatchNorm after concatenation": (
        Net(
            lambda self, x: self.c(F.relu(self.bn(torch.cat([self.a(x), self.b(x)], 1)))),
            a=conv(4, 3),
            b=conv(4, 2),
            bn=nn.BatchNorm2d(5),
            c=conv(5, 2),
        ),
        IMAGE,
    ),
    # residual networks
    "residual, identity": (chain(conv(4, 4), nn.ReLU(), basic_block(4, 4, 1, "identity")), IMAGE),
    "residual, option A": (chain(conv(4, 4), nn.ReLU(), basic_block(4, 8, 2, "A")), IMAGE),
    "residual, option A, odd channels": (chain(conv(4, 3), nn.ReLU(), basic_block(3, 6, 2, "A")), IMAGE),
    "residual, option B": (chain(conv(4, 4), nn.ReLU(), basic_block(4, 6, 2, "B")), IMAGE),
    "residual, pre-activation": (
        chain(conv(4, 4), pre_activation_block(4), pre_activation_block(4), nn.BatchNorm2d(4), nn.ReLU()),
        IMAGE,
    ),
    "a map added to itself": (
        Net(lambda self, x: F.relu(self.b(self.a(x) + self.a(x))), a=conv(4, 3), b=conv(3, 3)),
        IMAGE,
    ),
    # concatenation, slices
    "concatenation of the input and a map": (
        Net(lambda self, x: self.b(torch.cat([x, F.relu(self.a(x))], 1)), a=conv(4, 3), b=conv(7, 2)),
        IMAGE,
    ),
    "grouped conv over different sources": (
        Net(
            lambda self, x: self.c(torch.cat([F.relu(self.a(x)), F.relu(self.b(x)), x], 1)),
            a=conv(4, 3),
            b=conv(4, 5),
            c=conv(12, 9, groups=3),
        ),
        IMAGE,
    ),
    "depthwise conv over different sources": (
        Net(lambda self, x: self.b(torch.cat([x, F.relu(self.a(x))], 1)), a=conv(4, 3), b=conv(7, 14, groups=7)),
        IMAGE,
    ),
    "concatenation with position-dependent bias": (
        Net(
            lambda self, x: self.d(torch.cat([self.b(self.a(x)), self.c(x)], 1)),
            a=conv(4, 3),
            b=conv(3, 2),
            c=conv(4, 2),
            d=conv(4, 3),
        ),
        IMAGE,
    ),
    "channel slice": (
        Net(lambda self, x: self.b(F.relu(self.a(x))[:, 1:4]), a=conv(4, 6), b=conv(3, 2)),
        IMAGE,
    ),
    "channel slice with step": (
        Net(lambda self, x: self.b(F.relu(self.a(x))[:, 1::2, 1:, ::2]), a=conv(4, 6), b=conv(3, 2)),
        IMAGE,
    ),
    "one channel": (Net(lambda self, x: self.b(F.relu(self.a(x))[:, 2:3]), a=conv(4, 6), b=conv(1, 2)), IMAGE),
    "slice of a grouped conv": (
        Net(lambda self, x: self.b(self.a(x)[:, 1:5]), a=conv(4, 6, groups=2), b=conv(4, 2)),
        IMAGE,
    ),
    "aligned slice of a grouped conv": (
        Net(lambda self, x: self.b(self.a(x)[:, 3:6]), a=conv(4, 6, groups=2), b=conv(3, 6, groups=3)),
        IMAGE,
    ),
    "chunk": (Net(split_and_swap, a=conv(4, 6), b=conv(9, 2)), IMAGE),
    # pooling, upsampling
    "upsample, conv": (
        chain(conv(4, 3), nn.ReLU(), nn.Upsample(scale_factor=2), conv(3, 2), nn.ReLU(), conv(2, 2)),
        (4, 3, 4),
    ),
    "average pool, flatten, linear": (
        chain(conv(4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(3 * 3 * 3, 5)),
        IMAGE,
    ),
    "average pool with padding": (chain(conv(4, 3), nn.AvgPool2d(3, 2, 1), conv(3, 2)), IMAGE),
    "adaptive average pool": (
        chain(conv(4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((2, 3)), nn.Flatten(), nn.Linear(18, 2)),
        (4, 8, 6),
    ),
    "adaptive average pool, overlapping windows": (
        chain(conv(4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((2, 2)), nn.Flatten(), nn.Linear(12, 2)),
        (4, 5, 7),
    ),
    "adaptive average pool, windows of different sizes": (
        chain(conv(4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((3, 4)), nn.Conv2d(3, 2, 2), nn.Flatten(), nn.Linear(12, 2)),
        (4, 7, 9),
    ),
    "adaptive average pool to more than there is": (
        chain(conv(4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d((7, 4)), conv(3, 2)),
        (4, 5, 5),
    ),
    "average pool that does not count padding": (
        chain(conv(4, 3), nn.AvgPool2d(3, 2, 1, count_include_pad=False), conv(3, 2)),
        IMAGE,
    ),
    "global mean": (
        Net(lambda self, x: self.b(F.relu(self.a(x)).mean((2, 3))), a=conv(4, 3), b=nn.Linear(3, 5)),
        IMAGE,
    ),
    "max pool 2": (chain(conv(4, 3), nn.ReLU(), nn.MaxPool2d(2), conv(3, 2)), IMAGE),
    "max pool 3, stride 2, padding": (chain(conv(4, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1), conv(3, 2)), IMAGE),
    "max pool with ceiling mode": (chain(conv(4, 3), nn.ReLU(), nn.MaxPool2d((2, 3), (2, 2), ceil_mode=True)), IMAGE),
    "max pool with dilation": (chain(conv(4, 3), nn.MaxPool2d(2, 1, dilation=(3, 2)), conv(3, 2)), IMAGE),
    "max pool of stride 1, right and bottom": (Net(replicate_then_pool, a=conv(4, 3)), IMAGE),
    "max pool of signed values": (chain(conv(4, 3), nn.MaxPool2d(3, 2, 1), conv(3, 2)), IMAGE),
    "max pool of the input": (chain(nn.MaxPool2d(2), conv(4, 3), nn.ReLU()), IMAGE),
    "max pool of window 1": (chain(conv(4, 3), nn.MaxPool2d(1, 2), conv(3, 2)), IMAGE),
    "conv, max pool, ReLU": (chain(conv(4, 3), nn.MaxPool2d(2), nn.ReLU(), conv(3, 2)), IMAGE),
    "conv, max pool, ReLU6": (chain(conv(4, 3), nn.MaxPool2d(2), nn.Hardtanh(0, 0.5), conv(3, 2)), IMAGE),
    "conv, BatchNorm, max pool, ReLU": (
        chain(conv(4, 3), nn.BatchNorm2d(3), nn.MaxPool2d(2), nn.ReLU(), nn.Dropout(0.5), conv(3, 2)),
        IMAGE,
    ),
    "max pool after max pool": (chain(conv(4, 3), nn.MaxPool2d(2), nn.MaxPool2d(2, 1), conv(3, 2)), IMAGE),
    "max pool 1-D": (chain(nn.Conv1d(2, 3, 3), nn.MaxPool1d(3, 2, 1), nn.ReLU(), nn.Conv1d(3, 2, 3)), (2, 15)),
    # activations
    "LeakyReLU": (chain(conv(4, 3), nn.LeakyReLU(0.1), conv(3, 2), nn.LeakyReLU(0.3)), IMAGE),
    "PReLU of each channel": (chain(conv(4, 3), nn.PReLU(3), conv(3, 2)), IMAGE),
    "LeakyReLU, max pool": (chain(conv(4, 3), nn.LeakyReLU(0.1), nn.MaxPool2d(2), conv(3, 2)), IMAGE),
    "ReLU6": (chain(conv(4, 3), nn.Hardtanh(0.0, 0.7), conv(3, 2), nn.ReLU6(), conv(2, 2)), IMAGE),
    "ReLU after flattening": (chain(conv(4, 3), nn.Flatten(), nn.ReLU(), nn.Linear(126, 3)), IMAGE),
    "addition after flattening": (
        Net(
            lambda self, x: self.c(F.relu(self.a(x).flatten(1) + self.b(x).flatten(1))),
            a=conv(4, 3),
            b=conv(4, 3),
            c=nn.Linear(126, 2),
        ),
        IMAGE,
    ),
    "ReLU twice": (chain(conv(4, 3), nn.ReLU(), nn.ReLU(), nn.AvgPool2d(2), nn.ReLU(), conv(3, 2)), IMAGE),
    "ReLU of the input": (chain(nn.ReLU(), conv(4, 3), nn.ReLU()), IMAGE),
    # heads
    "concatenation of flattened maps": (
        Net(
            lambda self, x: self.c(torch.cat([self.a(x).flatten(1), F.relu(self.b(x)).flatten(1)], 1)),
            a=conv(4, 2),
            b=conv(4, 3, stride=2),
            c=nn.Linear(2 * 42 + 3 * 12, 3),
        ),
        IMAGE,
    ),
    "several outputs": (Net(shared_features, a=conv(4, 3), b=conv(3, 2), c=conv(3, 5)), IMAGE),
    "a hidden map as output": (Net(lambda self, x: (self.hidden(x), x), hidden=chain(conv(4, 3), nn.ReLU())), IMAGE),
    "a flattened map as output": (chain(conv(4, 3), nn.ReLU(), nn.Flatten()), IMAGE),
    "multiply by a constant": (Net(lambda self, x: self.a(x * 0.5 - 0.25) * -2.0, a=conv(4, 3)), IMAGE),
}
