"""`nmdeploy advise`: what binds on a target, and the smallest changes with which a network fits."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hw_profiles import load_target
from nmdeploy.advise.advice import advise
from nmdeploy.advise.targets import mapper_for
from nmdeploy.cli.advice_document import advice_document
from nmdeploy.cli.advice_tables import print_advice
from nmdeploy.cli.console import pass_progress, print_json
from nmdeploy.cli.model_options import DataLayout, numbers_of, shape_of
from nmdeploy.convert.calibration import Calibration, noise_calibration, split_calibration

if TYPE_CHECKING:
    from nmdeploy.model import Model

# Scales decide next to nothing of what a core holds, so that few samples do.
SAMPLES = 4


def advise_command(
    model: Annotated[
        Path, typer.Argument(help="Model file: from nmdeploy.save(), or a pickled module, or a state dict.")
    ],
    target: Annotated[str, typer.Option(help="Name of a chip profile, or path of a .toml file.")] = "loihi",
    timesteps: Annotated[int, typer.Option("--timesteps", "-T", min=1, help="Time steps of the window.")] = 64,
    weight_bits: Annotated[
        int | None,
        typer.Option(min=1, help="Width of the weights; default: 8, on crossbars what each layer needs."),
    ] = None,
    split_fan_in: Annotated[
        bool,
        typer.Option("--split-fan-in", help="Sum in parts, approximately, what has too many inputs for a core."),
    ] = False,
    most_layers: Annotated[
        int,
        typer.Option(
            "--layers", min=1, help="Of a network that fits and is summed exactly, look at so many layers."
        ),
    ] = 3,
    time_limit: Annotated[
        float, typer.Option(min=0, help="Seconds after which no further change is tried; what is left out is said.")
    ] = 75.0,
    model_factory: Annotated[
        str | None, typer.Option("--model", help="package.module:factory that builds the module of a state dict.")
    ] = None,
    input_shape: Annotated[str | None, typer.Option(help="Shape of one sample, as 3,32,32.")] = None,
    scale: Annotated[float | None, typer.Option(help="Samples are divided by this first.")] = None,
    mean: Annotated[str | None, typer.Option(help="Then this is subtracted, one value or one a channel.")] = None,
    std: Annotated[str | None, typer.Option(help="Then they are divided by this.")] = None,
    layout: Annotated[DataLayout | None, typer.Option(help="Axes of data files.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Unpickle classes that could run any code.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the advice as JSON.")] = False,
) -> None:
    """Say which layers bind on a target, and the smallest changes that fit; exit 1 if the network does not."""
    from nmdeploy.frontend.load import load_model  # torch takes seconds to import

    profile = load_target(target)
    loaded = load_model(
        model,
        model_factory=model_factory,
        input_shape=shape_of(input_shape),
        scale=scale,
        mean=numbers_of("--mean", mean),
        std=numbers_of("--std", std),
        layout=None if layout is None else layout.value,
        trust=trust,
    )
    mapper = mapper_for(profile, _few_samples(loaded), timesteps, weight_bits, split_fan_in=split_fan_in)
    begin = time.monotonic()
    with pass_progress() as announce:
        advice = advise(
            loaded.layers, mapper, most_layers=most_layers, time_limit_seconds=time_limit, announce=announce
        )
    if as_json:
        print_json(advice_document(advice, profile.name, time.monotonic() - begin))
    else:
        print_advice(advice, profile, time_limit)
    if not advice.before.fits:
        raise typer.Exit(1)


def _few_samples(model: Model) -> Calibration:
    """A few samples of the model file, or noise."""
    input_shape = model.layers.input_layer.shape
    if model.calibration is not None:
        samples = model.preprocessing.apply(model.calibration[:SAMPLES], input_shape)
        return split_calibration(samples, f"{len(samples)} samples of the model file")
    noise = noise_calibration(input_shape, model.preprocessing, seed=0)
    # scales by what BatchNorm learned would not go with the weights of a network that is not trained yet
    return replace(noise, samples=noise.samples[:SAMPLES], held_out=noise.held_out[:1], is_noise=False)
