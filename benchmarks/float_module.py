"""The user's float network from a prepared case, for any interpreter that has torch."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import torch
from torch import nn
from torch.fx.experimental.optimization import fuse


def build_module(factory: str) -> nn.Module:
    """The module that ``package.module:function`` builds, weights not yet loaded."""
    module_name, function_name = factory.split(":")
    module: nn.Module = getattr(importlib.import_module(module_name), function_name)()
    return module


def load_module(folder: Path) -> nn.Module:
    """The module of a prepared case with its weights, in evaluation mode."""
    module = build_module(json.loads((folder / "case.json").read_text())["factory"])
    module.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    return module.eval()


def folded(module: nn.Module) -> nn.Module:
    """The same function with every BatchNorm folded into its convolution."""
    fused: nn.Module = fuse(module)
    return fused.eval()
