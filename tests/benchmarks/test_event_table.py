"""The benchmark of adding spikes one by one has the kernels that it names, and every line of its tables."""

import pytest

from benchmarks import event_products
from nmdeploy.simulator.fast_products import int8_convolution_works


@pytest.mark.skipif(not int8_convolution_works(), reason="this torch has no exact 8-bit convolution")
def test_dense_layers_have_the_kernel_asked_for():
    names = {
        kind: event_products.dense_layer(16, 2, 10, few_weights=few).dense_kernel_name
        for kind, few in event_products.FEW_WEIGHTS.items()
    }
    assert names == {"float32": "matrix product", "8 bits": "int8 convolution"}


def test_tables(monkeypatch, capsys):
    monkeypatch.setattr(event_products, "SHAPES", ((8, 4),))
    monkeypatch.setattr(event_products, "DENSE_LAYERS", ((8, 1, 10), (16, 2, 40)))
    monkeypatch.setattr(event_products, "IMAGES", (1, 2))
    monkeypatch.setattr(event_products, "REPEATS", 1)
    event_products.main()
    lines = capsys.readouterr().out.splitlines()
    dense = [line.split(" | ")[0] for line in lines if " to " in line]
    assert dense == ["| 8 x 1 x 1 to 10"] * 2 + ["| 16 x 2 x 2 to 40"] * 2
    assert sum(line.endswith("(fitted)") for line in lines) == 3
    for table in (lines[:8], [line for line in lines if line.startswith("| 16 x 2")]):
        assert len({line.count("|") for line in table}) == 1
