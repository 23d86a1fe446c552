"""Lava processes of an artifact for a Lava program of your own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mapping.network import ChipNetwork, Population
from nmdeploy.artifact.artifact import Artifact, read_artifact
from nmdeploy.errors import BackendError
from nmdeploy.lava.batches import Batches, window_currents
from nmdeploy.lava.program import LavaProgram
from nmdeploy.simulator.input_current import constant_current

Granularity = Literal["layer", "core"]
IntArray = NDArray[np.int64]


def build(
    artifact: Artifact | Path | str,
    *,
    granularity: Granularity = "layer",
    samples: NDArray[np.generic] | None = None,
    batch: int = 1,
    timesteps: int | None = None,
) -> LavaProgram:
    """Create and connect the Lava processes of a compiled network.

    The processes are ordinary Lava processes: connect their free ports, then call ``run`` of any of them with
    ``RunSteps`` and ``Loihi2SimCfg(select_tag="fixed_pt")``, as often as you like. Populations start every sample
    from their initial potentials by themselves, every ``program.period_steps`` steps.

    Parameters
    ----------
    artifact : Artifact, or path of its folder
    granularity : {"layer", "core"}
        One process for each population and each projection, or one for each used core of the placement.
    samples : array, (samples, ...), uint8 or float, optional
        As in a data file, in the layout that the model was saved with; each is shown for one window, `batch` at a
        time. After the last one the populations are idle. Without samples the windows never end, and all input
        comes through the ports ``a_in``, see `input_currents`.
    batch : int
        Samples side by side: the first axis of every port.
    timesteps : int, optional
        Steps of a window, instead of the network's own.

    Returns
    -------
    LavaProgram
        Processes with their ports: ``a_in`` takes int32 currents in membrane units in the same step, ``s_out``
        sends int8 spikes in {-1, 0, 1}, ``v_out`` int64 membrane potentials after each step (those of an output
        population without spikes are the network's result). Shapes are (batch, rows, columns, channels) for a
        population, (batch, neurons) for a core. Counts lie in the Vars ``spike_counts``, ``net_spikes``, ``spikes``
        and ``saturations``. Populations with a lead fire that many steps after they take in their input;
        ``program.clocks`` says when.

    Raises
    ------
    BackendError
        This Python has no Lava, the numbers do not fit Lava's messages, or the machine cannot hold the processes.
    ArtifactError
        The artifact is missing or damaged.
    DataFileError
        The samples do not fit the network, or their currents the chip's bias field.
    """
    try:
        from nmdeploy.lava.emit_cores import emit_cores
        from nmdeploy.lava.emit_layers import emit_layers
    except ImportError as error:
        raise BackendError(
            f'this Python has no Lava ({error}). Install it into a Python 3.10: pip install "nmdeploy[lava]"'
        ) from error
    compiled = _read(artifact)
    network = compiled.network
    if samples is None:
        windows = None
        currents = {population.name: _own_current(network, population) for population in network.populations}
    else:
        prepared = compiled.manifest.preprocessing.apply(samples, network.input_shape)
        batches = Batches(len(prepared), batch, -(-len(prepared) // batch))
        windows, currents = batches.windows, window_currents(network, prepared, batches)
    if granularity == "core":
        return emit_cores(
            network, currents, placement=compiled.placement, batch=batch, windows=windows, timesteps=timesteps
        )
    return emit_layers(network, currents, batch=batch, windows=windows, timesteps=timesteps)


def input_currents(artifact: Artifact | Path | str, samples: NDArray[np.generic]) -> dict[str, IntArray]:
    """Currents to send to ``a_in`` of a program built without samples, in the first T steps of a sample's window.

    Parameters
    ----------
    artifact : Artifact, or path of its folder
    samples : array, (samples, ...), uint8 or float
        As for `build`.

    Returns
    -------
    dict of str to int64 array, (samples, rows, columns, channels)
        By population that takes input. In membrane units: input and bias together, rounded to the chip's bias field.

    Raises
    ------
    ArtifactError
        The artifact is missing or damaged.
    DataFileError
        The samples do not fit the network, or their currents the chip's bias field.
    """
    compiled = _read(artifact)
    network = compiled.network
    prepared = compiled.manifest.preprocessing.apply(samples, network.input_shape)
    return {
        population.name: constant_current(network, population, prepared)
        for population in network.populations
        if any(network.input_currents(population.name))
    }


def _own_current(network: ChipNetwork, population: Population) -> IntArray:
    """The bias, (1, 1, rows, columns, channels); nothing where it comes with the input through ``a_in``."""
    bias = constant_current(network, population, np.zeros((0, *network.input_shape), dtype=np.float32))
    if any(network.input_currents(population.name)):
        return np.zeros((1, 1, *bias.shape[1:]), dtype=np.int64)
    return bias[None]


def _read(artifact: Artifact | Path | str) -> Artifact:
    return artifact if isinstance(artifact, Artifact) else read_artifact(Path(artifact))
