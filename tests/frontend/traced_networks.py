"""Whole networks in the styles that people publish, small."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LambdaLayer(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


class BasicBlock(nn.Module):
    """As in the widespread CIFAR ResNets: option A pads channels, option B projects."""

    def __init__(self, channels_in, channels, stride, option):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels_in != channels:
            quarter = channels // 4
            if option == "A":
                self.shortcut = LambdaLayer(
                    lambda x: F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, quarter, quarter), "constant", 0)
                )
            else:
                self.shortcut = nn.Sequential(
                    nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
                )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class ResNet(nn.Module):
    def __init__(self, blocks=1, option="A", width=8):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.layer1 = self._stage(width, width, blocks, 1, option)
        self.layer2 = self._stage(width, 2 * width, blocks, 2, option)
        self.layer3 = self._stage(2 * width, 4 * width, blocks, 2, option)
        self.linear = nn.Linear(4 * width, 10)

    @staticmethod
    def _stage(channels_in, channels, blocks, stride, option):
        first = BasicBlock(channels_in, channels, stride, option)
        return nn.Sequential(first, *(BasicBlock(channels, channels, 1, option) for _ in range(blocks - 1)))

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer3(self.layer2(self.layer1(out)))
        out = F.avg_pool2d(out, out.size()[3])
        out = out.view(out.size(0), -1)
        return self.linear(out)


class TinyYolo(nn.Module):
    """Leaky convolutions, a stride-1 max pool padded right and bottom, upsample, concat, two heads."""

    def __init__(self):
        super().__init__()
        self.stem = self._block(3, 8)
        self.deep = self._block(8, 16)
        self.reduce = self._block(16, 4)
        self.fuse = self._block(12, 8)
        self.head_coarse = nn.Conv2d(16, 6, 1)
        self.head_fine = nn.Conv2d(8, 6, 1)

    @staticmethod
    def _block(channels_in, channels):
        return nn.Sequential(
            nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(0.1, inplace=True),
        )

    def forward(self, x):
        fine = F.max_pool2d(self.stem(x), 2)
        coarse = self.deep(F.max_pool2d(fine, 2, 2))
        coarse = F.max_pool2d(F.pad(coarse, (0, 1, 0, 1), mode="replicate"), 2, stride=1)
        up = F.interpolate(self.reduce(coarse), scale_factor=2, mode="nearest")
        fused = self.fuse(torch.cat([up, fine], dim=1))
        return {"coarse": self.head_coarse(coarse), "fine": self.head_fine(fused)}


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()]
        for channels_in, channels, stride in ((8, 16, 1), (16, 16, 2)):
            layers += [
                nn.Conv2d(channels_in, channels_in, 3, stride, 1, groups=channels_in, bias=False),
                nn.BatchNorm2d(channels_in),
                nn.ReLU6(inplace=True),
                nn.Conv2d(channels_in, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU6(inplace=True),
            ]
        self.features = nn.Sequential(*layers)
        self.dropout = nn.Dropout(0.2)
        self.classifier = nn.Linear(16, 5)

    def forward(self, x):
        x = self.features(x).mean([2, 3])
        return F.softmax(self.classifier(self.dropout(x)), dim=1)


class Sequence1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(2, 8, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm1d(8)
        self.conv2 = nn.Conv1d(8, 8, 3, padding="same", dilation=2, groups=4)
        self.act = nn.PReLU(8)
        self.pool = nn.MaxPool1d(3, 2, 1)
        self.gap = nn.AdaptiveAvgPool1d(1)
        self.out = nn.Linear(8, 4)

    def forward(self, x):
        x = self.pool(self.act(self.bn1(self.conv1(x))))
        x = self.act(self.conv2(x))
        return torch.sigmoid(self.out(self.gap(x).squeeze(-1)))


class Perceptron(nn.Module):
    """One ReLU module for all layers, tied weights, a functional linear layer."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(12, 12)
        self.act = nn.ReLU()
        self.norm = nn.BatchNorm1d(12)
        self.scale = nn.Parameter(torch.rand(12) + 0.5)

    def forward(self, x):
        x = self.act(self.first(x))
        x = self.act(self.norm(self.first(x)))
        x = self.act(F.linear(x, self.first.weight.t(), self.first.bias))
        return x * self.scale - 0.25


def settled(module: nn.Module) -> nn.Module:
    """In evaluation mode, with batch statistics and slopes that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(1)
    for part in module.modules():
        for name, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if not tensor.is_floating_point():
                continue
            low, high = (0.5, 1.5) if name == "running_var" else (-0.5, 0.5)
            with torch.no_grad():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)
    return module.eval()


def sample(*shape: int) -> Tensor:
    """Three samples."""
    return torch.randn(3, *shape, generator=torch.Generator().manual_seed(2))


NETWORKS = {
    "resnet8 option A": (lambda: ResNet(1, "A"), (3, 16, 16)),
    "resnet20 option A": (lambda: ResNet(3, "A"), (3, 16, 16)),
    "resnet8 option B": (lambda: ResNet(1, "B"), (3, 16, 16)),
    "yolo": (TinyYolo, (3, 16, 16)),
    "mobilenet": (MobileNet, (3, 16, 16)),
    "1-D": (Sequence1d, (2, 33)),
    "perceptron": (Perceptron, (12,)),
}
