"""Which rule converts which function, method and module.

Functions and methods share one table, by their plain names: ``F.relu``, ``torch.relu_`` and ``x.relu()`` are
"relu". A module is turned into the call of the function that it wraps. Rules name and order their parameters
as torch does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from nmdeploy.frontend import activation_rules as activation
from nmdeploy.frontend import arithmetic_rules as arithmetic
from nmdeploy.frontend import pooling_rules as pooling
from nmdeploy.frontend import shape_rules as shape
from nmdeploy.frontend import weight_rules as weight
from nmdeploy.frontend.problems import UnsupportedCall

Rule = Callable[..., Any]

FUNCTIONS: dict[str, Rule] = {
    **dict.fromkeys(("conv1d", "conv2d"), weight.convolution),
    "linear": weight.linear,
    "matmul": weight.matmul,
    "mm": weight.matmul,
    "batch_norm": weight.batch_norm,
    "relu": activation.relu,
    "relu6": activation.relu6,
    "hardtanh": activation.hardtanh,
    **dict.fromkeys(("clamp", "clip", "clamp_min"), activation.clamp),
    "leaky_relu": activation.leaky_relu,
    "prelu": activation.prelu,
    **dict.fromkeys(
        ("dropout", "dropout1d", "dropout2d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"),
        activation.dropout,
    ),
    **dict.fromkeys(("softmax", "log_softmax"), activation.softmax),
    "sigmoid": activation.sigmoid,
    **dict.fromkeys(("max_pool1d", "max_pool2d"), pooling.max_pool),
    **dict.fromkeys(("avg_pool1d", "avg_pool2d"), pooling.average_pool),
    **dict.fromkeys(("adaptive_avg_pool1d", "adaptive_avg_pool2d"), pooling.adaptive_average_pool),
    **dict.fromkeys(("adaptive_max_pool1d", "adaptive_max_pool2d"), pooling.adaptive_max_pool),
    "mean": pooling.mean,
    **dict.fromkeys(("interpolate", "upsample", "upsample_nearest"), pooling.interpolate),
    **dict.fromkeys(("flatten", "view", "reshape", "squeeze", "unsqueeze", "view_as", "reshape_as"), shape.reshape),
    **dict.fromkeys(
        ("contiguous", "clone", "detach", "to", "float", "double", "cpu", "cuda", "type_as", "requires_grad"),
        shape.same,
    ),
    "getattr": shape.attribute,
    "getitem": shape.getitem,
    **dict.fromkeys(("chunk", "split", "split_with_sizes", "tensor_split"), shape.split),
    **dict.fromkeys(("cat", "concat", "concatenate"), shape.concatenate),
    "pad": shape.pad,
    **dict.fromkeys(("add", "iadd", "radd"), arithmetic.add),
    **dict.fromkeys(("sub", "subtract", "isub"), arithmetic.subtract),
    "rsub": arithmetic.subtract_reversed,
    **dict.fromkeys(("mul", "multiply", "imul", "rmul"), arithmetic.multiply),
    **dict.fromkeys(("div", "divide", "truediv", "true_divide", "itruediv"), arithmetic.divide),
    **dict.fromkeys(("neg", "negative"), arithmetic.negate),
}

Call = tuple[Rule, dict[str, Any]]


def _convolution(module: nn.Conv1d | nn.Conv2d) -> Call:
    if module.padding_mode != "zeros":
        raise UnsupportedCall(f"has padding_mode={module.padding_mode!r}", 'Use padding_mode="zeros".')
    fields = ("weight", "bias", "stride", "padding", "dilation", "groups")
    return weight.convolution, {field: getattr(module, field) for field in fields}


def _batch_norm(module: nn.BatchNorm1d | nn.BatchNorm2d) -> Call:
    fields = ("running_mean", "running_var", "weight", "bias", "eps")
    return weight.batch_norm, {field: getattr(module, field) for field in fields}


def _with_fields(rule: Rule, *fields: str) -> Callable[[Any], Call]:
    return lambda module: (rule, {field: getattr(module, field) for field in fields})


def _dropout(module: Any) -> Call:
    return activation.dropout, {"p": module.p, "training": module.training}


def _upsample(module: nn.Upsample) -> Call:
    return pooling.interpolate, {
        "size": module.size,
        "scale_factor": module.scale_factor,
        "mode": module.mode,
    }


_max_pool = _with_fields(
    pooling.max_pool, "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"
)
_average_pool = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")


def _constant_pad(module: nn.ConstantPad1d | nn.ConstantPad2d) -> Call:
    return shape.pad, {"pad": module.padding, "value": module.value}


def _replication_pad(module: nn.ReplicationPad1d | nn.ReplicationPad2d) -> Call:
    return shape.pad, {"pad": module.padding, "mode": "replicate"}


MODULES: dict[type[nn.Module], Callable[[Any], Call]] = {
    nn.Conv1d: _convolution,
    nn.Conv2d: _convolution,
    nn.Linear: _with_fields(weight.linear, "weight", "bias"),
    nn.BatchNorm1d: _batch_norm,
    nn.BatchNorm2d: _batch_norm,
    nn.ReLU: _with_fields(activation.relu),
    nn.ReLU6: _with_fields(activation.relu6),
    nn.Hardtanh: _with_fields(activation.hardtanh, "min_val", "max_val"),
    nn.LeakyReLU: _with_fields(activation.leaky_relu, "negative_slope"),
    nn.PReLU: _with_fields(activation.prelu, "weight"),
    nn.MaxPool1d: _max_pool,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool1d: _with_fields(pooling.average_pool, *_average_pool),
    nn.AvgPool2d: _with_fields(pooling.average_pool, *_average_pool, "divisor_override"),
    nn.AdaptiveAvgPool1d: _with_fields(pooling.adaptive_average_pool, "output_size"),
    nn.AdaptiveAvgPool2d: _with_fields(pooling.adaptive_average_pool, "output_size"),
    nn.AdaptiveMaxPool1d: _with_fields(pooling.adaptive_max_pool, "output_size", "return_indices"),
    nn.AdaptiveMaxPool2d: _with_fields(pooling.adaptive_max_pool, "output_size", "return_indices"),
    nn.Upsample: _upsample,
    nn.UpsamplingNearest2d: _upsample,
    nn.ZeroPad2d: _constant_pad,
    nn.ConstantPad1d: _constant_pad,
    nn.ConstantPad2d: _constant_pad,
    nn.ReplicationPad1d: _replication_pad,
    nn.ReplicationPad2d: _replication_pad,
    nn.Flatten: _with_fields(shape.reshape),
    nn.Unflatten: _with_fields(shape.reshape),
    nn.Identity: _with_fields(activation.identity),
    nn.Dropout: _dropout,
    nn.Dropout1d: _dropout,
    nn.Dropout2d: _dropout,
    nn.AlphaDropout: _dropout,
    nn.Softmax: _with_fields(activation.softmax, "dim"),
    nn.LogSoftmax: _with_fields(activation.softmax, "dim"),
    nn.Sigmoid: _with_fields(activation.sigmoid),
}


def module_call(module: nn.Module) -> Call | None:
    """The rule for a module with the arguments that its fields give; None where there is no rule.

    A subclass has the rule of its base where it runs the base's very `forward`; parametrised layers are such.

    Raises
    ------
    UnsupportedCall
        The module is of a supported kind, but set up in a way that is not.
    """
    for base in type(module).__mro__:
        if base in MODULES and type(module).forward is base.forward:
            return MODULES[base](module)
    return None
