"""How model files are read, as said on the command line."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmdeploy.errors import NmdeployError

if TYPE_CHECKING:
    from nmdeploy.model import Model


class DataLayout(str, Enum):
    """Axes of data files."""

    NCHW = "NCHW"
    NHWC = "NHWC"
    NHW = "NHW"
    NCL = "NCL"
    NF = "NF"


ModelArgument = Annotated[
    Path, typer.Argument(help="Model file: from nmdeploy.save(), or a pickled module, or a state dict.")
]
TargetOption = Annotated[str, typer.Option(help="Name of a chip profile, or path of a .toml file.")]
TimestepsOption = Annotated[int, typer.Option("--timesteps", "-T", min=1, help="Time steps of the window.")]
WeightBitsOption = Annotated[
    int | None,
    typer.Option(min=1, help="Width of the weights; default: 8, on crossbars what each layer needs."),
]
FactoryOption = Annotated[
    str | None, typer.Option("--model", help="package.module:factory that builds the module of a state dict.")
]
InputShapeOption = Annotated[str | None, typer.Option(help="Shape of one sample, as 3,32,32.")]
ScaleOption = Annotated[float | None, typer.Option(help="Samples are divided by this first.")]
MeanOption = Annotated[str | None, typer.Option(help="Then this is subtracted, one value or one a channel.")]
StdOption = Annotated[str | None, typer.Option(help="Then they are divided by this.")]
LayoutOption = Annotated[DataLayout | None, typer.Option(help="Axes of data files.")]
TrustOption = Annotated[bool, typer.Option("--trust", help="Unpickle classes that could run any code.")]

def read_model(
    model: Path,
    *,
    factory: str | None,
    input_shape: str | None,
    scale: float | None,
    mean: str | None,
    std: str | None,
    layout: DataLayout | None,
    trust: bool,
) -> Model:
    """Load a model as the options say.

    Raises
    ------
    NmdeployError
        An option is malformed; or see `nmdeploy.frontend.load.load_model`.
    """
    from nmdeploy.frontend.load import load_model  # torch takes seconds to import

    return load_model(
        model,
        model_factory=factory,
        input_shape=shape_of(input_shape),
        scale=scale,
        mean=numbers_of("--mean", mean),
        std=numbers_of("--std", std),
        layout=None if layout is None else layout.value,
        trust=trust,
    )


def numbers_of(option: str, text: str | None) -> tuple[float, ...] | None:
    """Numbers separated by commas.

    Raises
    ------
    NmdeployError
    """
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise NmdeployError(f"{option} {text}: expected numbers separated by commas") from error


def shape_of(text: str | None) -> tuple[int, ...] | None:
    """The shape of one sample.

    Raises
    ------
    NmdeployError
    """
    if text is None:
        return None
    try:
        shape = tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise NmdeployError(f"--input-shape {text}: expected whole numbers separated by commas") from error
    if min(shape) < 1:
        raise NmdeployError(f"--input-shape {text}: every size must be at least 1")
    return shape
