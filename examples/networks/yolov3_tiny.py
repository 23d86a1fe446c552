"""YOLOv3-tiny (Redmon and Farhadi 2018) on COCO: two output maps of 3 anchors x (box, object, 80 classes)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

OUTPUTS = 3 * (5 + 80)


class Block(nn.Module):
    """Convolution, BatchNorm, leaky ReLU."""

    def __init__(self, in_channels: int, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, kernel, padding=kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.bn(self.conv(x)), 0.1)


class YoloV3Tiny(nn.Module):
    """3 x 416 x 416 (or any multiple of 32) in 0..1 to the maps at strides 32 and 16."""

    def __init__(self) -> None:
        super().__init__()
        self.conv0 = Block(3, 16)
        self.conv1 = Block(16, 32)
        self.conv2 = Block(32, 64)
        self.conv3 = Block(64, 128)
        self.conv4 = Block(128, 256)
        self.conv5 = Block(256, 512)
        self.conv6 = Block(512, 1024)
        self.conv7 = Block(1024, 256, 1)
        self.conv8 = Block(256, 512)
        self.conv9 = nn.Conv2d(512, OUTPUTS, 1)
        self.conv10 = Block(256, 128, 1)
        self.conv11 = Block(384, 256)
        self.conv12 = nn.Conv2d(256, OUTPUTS, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for block in (self.conv0, self.conv1, self.conv2, self.conv3):
            x = F.max_pool2d(block(x), 2)
        route = self.conv4(x)
        x = self.conv5(F.max_pool2d(route, 2))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-math.inf), 2, stride=1)
        trunk = self.conv7(self.conv6(x))
        coarse = self.conv9(self.conv8(trunk))
        up = F.interpolate(self.conv10(trunk), scale_factor=2.0, mode="nearest")
        fine = self.conv12(self.conv11(torch.cat([up, route], 1)))
        return coarse, fine


def yolov3_tiny() -> nn.Module:
    return YoloV3Tiny()
