"""CIFAR ResNets with all widths multiplied, for the growth of time and memory with the number of synapses."""

from torch import nn

from examples.networks.resnet import CifarResNet


class WideResNet(CifarResNet):
    """As `CifarResNet`, with `multiplier` times as many channels."""

    def __init__(self, blocks_per_stage: int, multiplier: int, classes: int = 10) -> None:
        super().__init__(blocks_per_stage, classes)
        first, second, third = 16 * multiplier, 32 * multiplier, 64 * multiplier
        self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = self._stage(first, first, blocks_per_stage, 1)
        self.layer2 = self._stage(first, second, blocks_per_stage, 2)
        self.layer3 = self._stage(second, third, blocks_per_stage, 2)
        self.linear = nn.Linear(third, classes)


def resnet8() -> nn.Module:
    return WideResNet(1, 1)


def resnet8_twice_as_wide() -> nn.Module:
    return WideResNet(1, 2)


def resnet8_four_times_as_wide() -> nn.Module:
    return WideResNet(1, 4)
