"""Identity layers dropped, BatchNorm folded, rectifiers moved in front of max pooling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nmdeploy.layers.graph import Layer, LayerGraph, build_layer_graph
from nmdeploy.layers.operators import Affine, BatchNorm, Convolution, Identity, Linear, MaxPool, ReLU


def simplify(layers: LayerGraph) -> LayerGraph:
    """Apply all rewrites.

    Returns
    -------
    LayerGraph
        Computes the same function; holds no `Identity` and no `BatchNorm`.
    """
    return _rectify_before_max_pool(_fold_batch_norm(_drop_identities(layers)))


def _rebuilt(layers: list[Layer], renamed: dict[str, str], outputs: tuple[str, ...]) -> LayerGraph:
    """Layers whose inputs follow `renamed`."""
    kept = [
        replace(layer, inputs=tuple(renamed.get(name, name) for name in layer.inputs)) for layer in layers
    ]
    return build_layer_graph(kept, tuple(renamed.get(name, name) for name in outputs))


def _drop_identities(layers: LayerGraph) -> LayerGraph:
    renamed: dict[str, str] = {}
    kept = []
    for layer in layers.layers:
        if isinstance(layer.operator, Identity):
            source = layer.inputs[0]
            renamed[layer.name] = renamed.get(source, source)
        else:
            kept.append(layer)
    return _rebuilt(kept, renamed, layers.outputs)


def _fold_batch_norm(layers: LayerGraph) -> LayerGraph:
    """``W * g`` and ``(b - mean) * g + beta`` with ``g = gamma / sqrt(variance + epsilon)``.

    Where the layer before has other users, or is no convolution, the normalisation becomes an `Affine`.
    """
    renamed: dict[str, str] = {}
    kept: dict[str, Layer] = {}
    for layer in layers.layers:
        if not isinstance(layer.operator, BatchNorm):
            kept[layer.name] = layer
            continue
        affine = _as_affine(layer.operator)
        before = kept[renamed.get(layer.inputs[0], layer.inputs[0])]
        if isinstance(before.operator, (Convolution, Linear)) and _used_once(layers, layer.inputs[0]):
            kept[before.name] = replace(before, operator=_folded(before.operator, affine))
            renamed[layer.name] = before.name
        else:
            kept[layer.name] = replace(layer, operator=affine)
    return _rebuilt(list(kept.values()), renamed, layers.outputs)


def _as_affine(norm: BatchNorm) -> Affine:
    gain = norm.weight.astype(np.float64) / np.sqrt(norm.variance.astype(np.float64) + norm.epsilon)
    shift = norm.bias - norm.mean * gain
    return Affine(gain.astype(np.float32), shift.astype(np.float32))


def _folded(operator: Convolution | Linear, affine: Affine) -> Convolution | Linear:
    gain = affine.scale.reshape(-1, *[1] * (operator.weight.ndim - 1))
    return replace(
        operator, weight=operator.weight * gain, bias=operator.bias * affine.scale + affine.shift
    )


def _rectify_before_max_pool(layers: LayerGraph) -> LayerGraph:
    """``relu(max(x)) = max(relu(x))``: pooled rectified values need no signed arithmetic."""
    renamed: dict[str, str] = {}
    kept: dict[str, Layer] = {}
    for original in layers.layers:
        layer = replace(original, inputs=tuple(renamed.get(name, name) for name in original.inputs))
        pool = kept.get(layer.inputs[0]) if isinstance(layer.operator, ReLU) else None
        if pool is None or not isinstance(pool.operator, MaxPool) or not _used_once(layers, original.inputs[0]):
            kept[layer.name] = layer
            continue
        del kept[pool.name]
        kept[layer.name] = replace(layer, inputs=pool.inputs, shape=kept[pool.inputs[0]].shape)
        kept[pool.name] = replace(pool, inputs=(layer.name,))
        renamed[layer.name] = pool.name
    outputs = tuple(renamed.get(name, name) for name in layers.outputs)
    return build_layer_graph(kept.values(), outputs)


def _used_once(layers: LayerGraph, name: str) -> bool:
    """Whether exactly one layer reads `name` and it is no output."""
    return bool(layers.graph.out_degree(name) == 1) and name not in layers.outputs
