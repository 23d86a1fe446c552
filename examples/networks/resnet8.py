"""ResNet-8 of MLPerf Tiny (CIFAR-10), with the names of its Keras layers.

Keras pads at stride 2 with one more zero to the right and below.
"""

import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-3


class ResNet8(nn.Module):
    """3 x 32 x 32 pixels in 0..255 to ten class scores."""

    def __init__(self) -> None:
        super().__init__()
        self.conv2d = nn.Conv2d(3, 16, 3, padding=1)
        self.batch_normalization = nn.BatchNorm2d(16, EPSILON)
        self.conv2d_1 = nn.Conv2d(16, 16, 3, padding=1)
        self.batch_normalization_1 = nn.BatchNorm2d(16, EPSILON)
        self.conv2d_2 = nn.Conv2d(16, 16, 3, padding=1)
        self.batch_normalization_2 = nn.BatchNorm2d(16, EPSILON)
        self.conv2d_3 = nn.Conv2d(16, 32, 3, stride=2)
        self.batch_normalization_3 = nn.BatchNorm2d(32, EPSILON)
        self.conv2d_4 = nn.Conv2d(32, 32, 3, padding=1)
        self.batch_normalization_4 = nn.BatchNorm2d(32, EPSILON)
        self.conv2d_5 = nn.Conv2d(16, 32, 1, stride=2)
        self.conv2d_6 = nn.Conv2d(32, 64, 3, stride=2)
        self.batch_normalization_5 = nn.BatchNorm2d(64, EPSILON)
        self.conv2d_7 = nn.Conv2d(64, 64, 3, padding=1)
        self.batch_normalization_6 = nn.BatchNorm2d(64, EPSILON)
        self.conv2d_8 = nn.Conv2d(32, 64, 1, stride=2)
        self.dense = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.batch_normalization(self.conv2d(x)))
        y = F.relu(self.batch_normalization_1(self.conv2d_1(x)))
        x = F.relu(x + self.batch_normalization_2(self.conv2d_2(y)))
        y = F.relu(self.batch_normalization_3(self.conv2d_3(F.pad(x, (0, 1, 0, 1)))))
        x = F.relu(self.conv2d_5(x) + self.batch_normalization_4(self.conv2d_4(y)))
        y = F.relu(self.batch_normalization_5(self.conv2d_6(F.pad(x, (0, 1, 0, 1)))))
        x = F.relu(self.conv2d_8(x) + self.batch_normalization_6(self.conv2d_7(y)))
        return self.dense(x.mean((2, 3)))


def resnet8() -> nn.Module:
    return ResNet8()
