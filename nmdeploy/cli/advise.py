"""`nmdeploy advise`: what binds on a target, and the smallest changes with which a network fits."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from hw_profiles import load_target
from nmdeploy.advise.advice import advise
from nmdeploy.advise.targets import mapper_for
from nmdeploy.cli.advice_document import advice_document
from nmdeploy.cli.advice_tables import print_advice
from nmdeploy.cli.console import pass_progress, print_json
from nmdeploy.cli.model_options import (
    FactoryOption,
    InputShapeOption,
    LayoutOption,
    MeanOption,
    ModelArgument,
    ScaleOption,
    StdOption,
    TargetOption,
    TimestepsOption,
    TrustOption,
    WeightBitsOption,
    read_model,
)
from nmdeploy.convert.calibration import Calibration, noise_calibration, split_calibration

if TYPE_CHECKING:
    from nmdeploy.model import Model

# Scales decide next to nothing of what a core holds, so that few samples do.
SAMPLES = 4


def advise_command(
    model: ModelArgument,
    target: TargetOption = "loihi",
    timesteps: TimestepsOption = 64,
    weight_bits: WeightBitsOption = None,
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
    model_factory: FactoryOption = None,
    input_shape: InputShapeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    layout: LayoutOption = None,
    trust: TrustOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the advice as JSON.")] = False,
) -> None:
    """Say which layers bind on a target, and the smallest changes that fit; exit 1 if the network does not."""
    profile = load_target(target)
    loaded = read_model(
        model,
        factory=model_factory,
        input_shape=input_shape,
        scale=scale,
        mean=mean,
        std=std,
        layout=layout,
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
