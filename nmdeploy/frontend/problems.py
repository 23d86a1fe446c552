"""How problems of a network read: the node, what is wrong, the place in the source, the way out."""

from __future__ import annotations

_REPLACE_BY_RELU = "Replace it by ReLU and fine-tune."
_USE_BATCH_NORM = "Use BatchNorm in its place, which folds into weights."
_KEEP_ON_HOST = "Replace it by supported layers, or cut the network there and keep that part on the host."

_WAYS_OUT = {
    _REPLACE_BY_RELU: """
        silu swish gelu mish elu selu celu softplus softsign tanh tanhshrink hardswish hardsigmoid hardshrink
        softshrink logsigmoid glu threshold exp pow square sqrt abs log rrelu
    """,
    _USE_BATCH_NORM: """
        layernorm groupnorm instancenorm1d instancenorm2d localresponsenorm rmsnorm layer_norm group_norm
        instance_norm local_response_norm rms_norm normalize
    """,
    "Return the scores themselves; predictions are taken from them on the host.": """
        argmax topk max sort nonzero
    """,
    "Train it with stride-1 convolutions and nearest upsampling in its place.": """
        convtranspose1d convtranspose2d conv_transpose1d conv_transpose2d pixelshuffle pixel_shuffle
    """,
}
_WAY_OUT_OF = {name: way_out for way_out, names in _WAYS_OUT.items() for name in names.split()}


class UnsupportedCall(Exception):  # noqa: N818 - reported as a line of an error, never raised to users
    """A rule does not cover this call.

    Parameters
    ----------
    reason : str
        What is wrong, to follow the node's name.
    way_out : str, optional
        What the user can do.
    """

    def __init__(self, reason: str, way_out: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out or _KEEP_ON_HOST


def way_out_of(operator_name: str) -> str:
    """What to do about an operator that has no rule."""
    return _WAY_OUT_OF.get(operator_name.lower(), _KEEP_ON_HOST)


def describe_problem(node: str, reason: str, location: str, way_out: str) -> str:
    """One line on one node."""
    place = f" ({location})" if location else ""
    return f"{node or 'network'}: {reason}{place}. {way_out}"
