"""Tiny face detector of face-api.js: depthwise separable convolutions, one map of 5 anchors x (box, object)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOPE = 0.1


class Separable(nn.Module):
    """Depthwise 3 x 3, pointwise 1 x 1, a bias of its own, leaky ReLU."""

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False)
        self.pointwise = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(self.depthwise(x), self.pointwise.weight, self.bias)
        return F.leaky_relu(x, SLOPE)


class TinyFaceDetector(nn.Module):
    """3 x 416 x 416 (or any multiple of 32), less the mean pixel and over 256, to a map at stride 32."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(3, 16, 3, padding=1)
        self.conv1 = Separable(16, 32)
        self.conv2 = Separable(32, 64)
        self.conv3 = Separable(64, 128)
        self.conv4 = Separable(128, 256)
        self.conv5 = Separable(256, 512)
        self.conv8 = nn.Conv2d(512, 25, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(F.leaky_relu(self.conv0(x), SLOPE), 2)
        for block in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = F.max_pool2d(block(x), 2)
        x = F.pad(self.conv5(x), (0, 1, 0, 1), value=-math.inf)
        return self.conv8(F.max_pool2d(x, 2, stride=1))


def tiny_face_detector() -> nn.Module:
    return TinyFaceDetector()
