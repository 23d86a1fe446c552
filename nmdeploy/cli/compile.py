"""`nmdeploy compile`: from a model file to an artifact."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from hw_profiles import parse_target, profile_text
from hw_profiles.analog_profile import AnalogProfile
from hw_profiles.crossbar_profile import CrossbarProfile
from hw_profiles.layer_core_profile import LayerCoreProfile
from mapping.neuron_models import Release
from mapping.placement_options import PlacementOptions
from nmdeploy.artifact.artifact import Artifact, write_artifact
from nmdeploy.artifact.manifest import Options, make_manifest
from nmdeploy.cli.compile_choices import (
    Compensations,
    Decodings,
    Efforts,
    Neurons,
    Objectives,
    Releases,
    ResetMode,
    Thresholds,
    WeightRoundings,
)
from nmdeploy.cli.compile_summary import print_summary
from nmdeploy.cli.console import key_value_table, pass_progress, stdout_console, warn
from nmdeploy.cli.crossbar_options import refuse_what_crossbars_lack
from nmdeploy.cli.mapping_only import map_only
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
from nmdeploy.compiler_options import CompilerOptions
from nmdeploy.convert.calibration import Calibration, noise_calibration, split_calibration
from nmdeploy.convert.methods import METHODS
from nmdeploy.crossbar.axon_plan import NEEDED_BITS, Precision
from nmdeploy.data_file import read_data
from nmdeploy.errors import NmdeployError
from nmdeploy.passes import PassRunner, StoppedAfterPassError
from nmdeploy.pipeline import PASSES, compile_layers
from nmdeploy.pipeline_crossbars import CROSSBAR_PASSES, compile_for_crossbars
from nmdeploy.quantize import QuantizationOptions
from nmdeploy.quantize.neuron_choice import NeuronChoice, NeuronName
from nmdeploy.quantize.quantize import DEFAULT_WEIGHT_BITS
from nmdeploy.quantize.weight_rounding import WeightRounding, default_rounding
from nmdeploy.search.recipe import AUTO, PRESETS, recommended_neurons

if TYPE_CHECKING:
    from nmdeploy.model import Model




def compile_command(
    model: ModelArgument,
    target: TargetOption = "loihi",
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write; default MODEL.nmd.")] = None,
    calibration: Annotated[Path | None, typer.Option(help=".npz with x: samples that scales are chosen on.")] = None,
    calibration_limit: Annotated[int, typer.Option(min=1, help="Use at most this many calibration samples.")] = 512,
    timesteps: TimestepsOption = 64,
    max_loss: Annotated[
        float | None,
        typer.Option(min=0, help="Take the shortest window up to --timesteps that loses at most so many points."),
    ] = None,
    method: Annotated[str, typer.Option(help=f"{AUTO}, {', '.join([*PRESETS, *METHODS])}.")] = AUTO,
    headroom: Annotated[
        float | None,
        typer.Option(min=0.1, max=100, help="Factor of the method's scales; default: the best of auto, else 1."),
    ] = None,
    neurons: Annotated[
        Neurons, typer.Option(help="auto: the most accurate that the target has.")
    ] = Neurons.auto,
    lead: Annotated[
        int | None,
        typer.Option(min=0, help="Steps that paced neurons wait to fire; default: 1, longer or 0 where that pays."),
    ] = None,
    release: Annotated[
        Releases | None, typer.Option(help="When a rectifier with a count memory takes a spike back.")
    ] = None,
    shift_only: Annotated[bool, typer.Option("--shift-only", help="Paced neurons without multiplication.")] = False,
    refinement_steps: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Last steps of the window, whose spikes weigh 1/2, 1/4, ... of the others; default: as many as help.",
        ),
    ] = None,
    compensation: Annotated[
        Compensations, typer.Option(help="Layer-wise error compensation; auto: where it helps on held-out samples.")
    ] = Compensations.auto,
    decoding: Annotated[
        Decodings | None,
        typer.Option(
            help="Outputs from membrane potentials, or from counts of output spikes; default: membrane, where the "
            "target lets the host read potentials."
        ),
    ] = None,
    read_out_from: Annotated[
        int | None,
        typer.Option(min=0, help="First step of the window from which on outputs are read; default: the best."),
    ] = None,
    shortcut_normalisation: Annotated[
        bool, typer.Option(help="Off only to show what it is worth.")
    ] = True,
    percentile: Annotated[float, typer.Option(min=50, max=100, help="Of the percentile methods.")] = 99.9,
    weight_bits: WeightBitsOption = None,
    weight_rounding: Annotated[
        WeightRoundings | None,
        typer.Option(help="Default: gptq below 8 bits if there are calibration samples, else nearest."),
    ] = None,
    thresholds: Annotated[
        Thresholds, typer.Option(help="channel: as many thresholds a layer as a core holds; layer: one.")
    ] = Thresholds.channel,
    reset: Annotated[ResetMode, typer.Option(help="What a spike does to the potential.")] = ResetMode.subtract,
    initial_potential: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="As a share of the threshold; one half, the default, rounds spike counts."),
    ] = None,
    split_fan_in: Annotated[
        bool,
        typer.Option(
            "--split-fan-in",
            help="Sum in parts, approximately, where a neuron has more inputs than a core has input axons.",
        ),
    ] = False,
    objective: Annotated[
        Objectives,
        typer.Option(
            help="What placement minimises: hops of all messages, load of the busiest link, or energy of the hops "
            "(the same as hops on a target whose profile gives no energy of a hop)."
        ),
    ] = Objectives.hops,
    effort: Annotated[
        Efforts,
        typer.Option(
            help="How long placement tries: none leaves the cores in the order of the network; "
            "200, 2,000 or 20,000 moves a core."
        ),
    ] = Efforts.normal,
    seed: Annotated[
        int, typer.Option(help="Of placement, and of the noise that stands in for missing calibration samples.")
    ] = 0,
    model_factory: FactoryOption = None,
    input_shape: InputShapeOption = None,
    scale: ScaleOption = None,
    mean: MeanOption = None,
    std: StdOption = None,
    layout: LayoutOption = None,
    trust: TrustOption = False,
    stop_after: Annotated[
        str | None,
        typer.Option(
            help=f"Stop after a pass: {', '.join(PASSES)}; on crossbars {', '.join(CROSSBAR_PASSES)}."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Convert, quantise, place and check a trained network; exit 0 only if the placement is legal."""
    text = profile_text(target)
    profile = parse_target(text, target)
    names = CROSSBAR_PASSES if isinstance(profile, CrossbarProfile) else PASSES
    if stop_after is not None and stop_after not in names:
        raise NmdeployError(f"--stop-after {stop_after}: no such pass for {target}. Passes: {', '.join(names)}")
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
    if isinstance(profile, (LayerCoreProfile, AnalogProfile)):
        map_only(loaded.layers, profile, output, as_json)
        return
    samples = _calibration(loaded, calibration, calibration_limit, seed)
    if isinstance(profile, CrossbarProfile):
        refuse_what_crossbars_lack(profile, decoding, thresholds, refinement_steps, weight_bits, weight_rounding)
        decoding = Decodings.by_count
        bits = weight_bits or NEEDED_BITS
    else:
        decoding = decoding or Decodings.by_membrane
        bits = weight_bits or DEFAULT_WEIGHT_BITS
    rounding: WeightRounding = default_rounding(bits, calibrated=not samples.is_noise)
    if weight_rounding is not None:
        rounding = weight_rounding.value
    options = CompilerOptions(
        QuantizationOptions(
            timesteps=timesteps,
            weight_bits=bits,
            thresholds=thresholds.value,
            reset=reset.value,
            weight_rounding=rounding,
        ),
        method,
        percentile,
        _neurons(neurons.value, lead, None if release is None else release.value, shift_only),
        compensation.value,
        initial_potential,
        shortcut_normalisation,
        max_loss,
        decoding.value,
        refinement_steps,
        choose_leads=lead is None,
        read_out_step=read_out_from,
        headroom=headroom,
        placement=PlacementOptions(objective.value, effort.value, seed),
        split_fan_in=split_fan_in,
    )
    with pass_progress() as announce:
        passes = PassRunner(announce, stop_after)
        try:
            if isinstance(profile, CrossbarProfile):
                precision = Precision(weight_bits)
                compiled = compile_for_crossbars(loaded.layers, samples, profile, options, precision, passes)
            else:
                compiled = compile_layers(loaded.layers, samples, profile, options, passes)
        except StoppedAfterPassError as stop:
            stdout_console().print(_seconds_table(f"stopped after {stop}", stop.seconds))
            return
    recorded = Options(
        target=profile.name,
        timesteps=compiled.network.timesteps,
        method=compiled.recipe.method,
        percentile=percentile,
        weight_bits=weight_bits if isinstance(profile, CrossbarProfile) else bits,
        thresholds=thresholds.value,
        reset=reset.value,
        initial_potential=compiled.recipe.initial_potential_share,
        neurons=compiled.recipe.neurons.name,
        lead=compiled.recipe.neurons.lead,
        release=compiled.recipe.neurons.release,
        shift_only=compiled.recipe.neurons.shift_only,
        compensation=compiled.recipe.compensation,
        shortcut_normalisation=compiled.recipe.shortcut_normalisation,
        decoding=decoding.value,
        refinement_steps=compiled.recipe.refinement_steps,
        read_out_step=compiled.recipe.read_out_step,
        headroom=compiled.recipe.headroom,
        weight_rounding=rounding,
        objective=objective.value,
        effort=effort.value,
        seed=seed,
        split_fan_in=split_fan_in,
    )
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    manifest = make_manifest(digest, samples.description, recorded, loaded.preprocessing, loaded.classes)
    folder = output if output is not None else Path(f"{model.stem}.nmd")
    artifact = Artifact(
        manifest=manifest,
        network=compiled.network,
        float_network=compiled.float_network,
        placement=compiled.placement,
        profile=profile,
        profile_text=text,
        audit=compiled.audit.as_dict(),
        counts=compiled.counts,
        program=compiled.program,
    )
    write_artifact(folder, artifact)
    print_summary(compiled, profile, recorded, folder, as_json)
    if any(violation.severity == "error" for violation in compiled.violations):
        raise typer.Exit(1)


def _neurons(
    name: NeuronName | Literal["auto"], lead: int | None, release: Release | None, shift_only: bool
) -> NeuronChoice | None:
    """The neurons asked for, with the recommended values of what is not given; None for the target's best."""
    if name == "auto":
        given = [lead is not None, release is not None, shift_only]
        if any(given):
            raise NmdeployError("--lead, --release and --shift-only need --neurons paced or signed")
        return None
    recommended = recommended_neurons(name)
    return NeuronChoice(
        recommended.name,
        recommended.lead if lead is None else lead,
        shift_only,
        recommended.release if release is None else release,
    )


def _calibration(model: Model, path: Path | None, limit: int, seed: int) -> Calibration:
    input_shape = model.layers.input_layer.shape
    if path is not None:
        data = read_data(path, limit)
        description = f"{len(data.samples)} samples, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}"
        preprocessed = model.preprocessing.apply(data.samples, input_shape)
        return split_calibration(preprocessed, description, labels=data.labels)
    if model.calibration is not None:
        samples = model.calibration[:limit]
        return split_calibration(
            model.preprocessing.apply(samples, input_shape), f"{len(samples)} samples of the model file"
        )
    warn(
        "NO CALIBRATION DATA. Scales come from BatchNorm statistics where there are some, else from uniform noise; "
        "the accuracy will suffer. Pass --calibration X.npz, or calibration= to nmdeploy.save()."
    )
    return noise_calibration(input_shape, model.preprocessing, seed)


def _seconds_table(title: str, seconds: dict[str, float]) -> Table:
    return key_value_table(title, [(name, f"{value:.3f} s") for name, value in seconds.items()])
