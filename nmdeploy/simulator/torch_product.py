"""Products of a projection by torch, which keeps to the threads of its caller."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from nmdeploy.simulator.products import Product


class TorchProduct(Product):
    """As `Product`; NumPy's library would take all cores for each of the threads that compute side by side."""

    def _matrix_product(self, fields: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
        product: NDArray[Any] = (torch.from_numpy(fields) @ torch.from_numpy(weights)).numpy()
        return product
