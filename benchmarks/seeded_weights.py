"""Weights for networks of which there is no trained copy: random, but as active as trained ones."""

from __future__ import annotations

import torch
from torch import Tensor, nn

SHIFT = -0.5
"""Mean of every normalised channel, in standard deviations: about 31 % of the rectified values are not zero."""


@torch.no_grad()
def seed_weights(module: nn.Module, images: Tensor, seed: int) -> None:
    """He initialisation, then BatchNorm with the statistics of some images, so that no layer dies or explodes.

    Parameters
    ----------
    module : nn.Module
        Every convolution is followed by a BatchNorm. Left in evaluation mode.
    images : float tensor, (samples, channels, rows, columns)
    seed : int
    """
    generator = torch.Generator().manual_seed(seed)
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            fan_in = part.weight[0].numel()
            part.weight.copy_(torch.randn(part.weight.shape, generator=generator) * (2 / fan_in) ** 0.5)
            if part.bias is not None:
                part.bias.zero_()
        if isinstance(part, nn.BatchNorm2d):
            part.bias.fill_(SHIFT)
            part.momentum = None  # average over the images instead of a decaying one
    module.train()
    module(images)
    module.eval()
