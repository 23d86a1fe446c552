"""CIFAR ResNets of any depth, narrow enough to train on scikit-learn's digits in seconds."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from examples.networks.resnet import CifarResNet

WIDTHS = (8, 16, 32)
BATCH = 64
LEARNING_RATE = 0.05


class NarrowResNet(CifarResNet):
    """As `CifarResNet`, for one channel of 8 x 8 pixels and with half as many channels."""

    def __init__(self, blocks_per_stage: int) -> None:
        super().__init__(blocks_per_stage)
        first, second, third = WIDTHS
        self.conv1 = nn.Conv2d(1, first, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(first)
        self.layer1 = self._stage(first, first, blocks_per_stage, 1)
        self.layer2 = self._stage(first, second, blocks_per_stage, 2)
        self.layer3 = self._stage(second, third, blocks_per_stage, 2)
        self.linear = nn.Linear(third, self.linear.out_features)


def trained(depth: int, samples: NDArray[np.float32], labels: NDArray[np.int64], epochs: int, seed: int) -> nn.Module:
    """A network in evaluation mode, trained from seeded weights.

    Parameters
    ----------
    depth : int
        6 n + 2, as the CIFAR ResNets count: convolutions on the longest path, and the classifier.
    samples : float32 array, (samples, 1, rows, columns)
    labels : int64 array, (samples,)
    epochs : int
    seed : int

    Raises
    ------
    ValueError
        There is no CIFAR ResNet of this depth.
    """
    if depth < 8 or depth % 6 != 2:
        raise ValueError(f"depth {depth}: CIFAR ResNets have 6 n + 2 layers (8, 14, 20, ...)")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # layers so small lose more by waiting for other threads than they gain
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            module = NarrowResNet((depth - 2) // 6)
            _train(module, torch.from_numpy(samples), torch.from_numpy(labels), epochs)
    finally:
        torch.set_num_threads(threads)
    return module.eval()


def _train(module: nn.Module, samples: Tensor, labels: Tensor, epochs: int) -> None:
    optimizer = torch.optim.SGD(module.parameters(), LEARNING_RATE, momentum=0.9, weight_decay=1e-4)
    batches = len(samples) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, epochs * batches)
    module.train()
    for _ in range(epochs):
        for chosen in torch.randperm(len(samples))[: batches * BATCH].split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(module(samples[chosen]), labels[chosen]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
