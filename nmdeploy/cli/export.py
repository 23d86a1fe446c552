"""`nmdeploy export`: the compiled network in the file format of another tool."""

from __future__ import annotations

import sys
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from nmdeploy.artifact.artifact import read_artifact


class Format(str, Enum):
    """What is written."""

    net = "net"


def export_command(
    artifact: Annotated[Path, typer.Argument(help="Folder written by compile.")],
    format_: Annotated[Format, typer.Option("--format", help="net: HDF5 for lava-dl's netx.")] = Format.net,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write; default ARTIFACT.net.")] = None,
) -> None:
    """Write the network for lava-dl's netx, which makes Lava's own processes of it, with the same spikes.

    netx holds chains of convolutions and dense layers whose neurons reset to zero: compile with --reset zero
    --thresholds layer --initial-potential 0. Whatever it cannot hold is listed.

    Load the file with netx.hdf5.Network(net_config=FILE, reset_interval=T), T being the time steps, and send
    nmdeploy.export.net_file.first_layer_input(network, samples, T) to net.in_layer.neuron.a_in: the host computes the
    first layer's current, which stands for the sample.
    """
    from nmdeploy.export.net_file import write_net_file

    path = output if output is not None else Path(f"{artifact.resolve().stem}.{format_.value}")
    network = read_artifact(artifact).network
    write_net_file(path, network)
    print(f"{path}: {path.stat().st_size / 1000:,.0f} kB")
    if network.read_out_step:
        step = network.read_out_step
        print(
            f"Outputs are read from step {step} on: take the potentials of the last layer after {step} steps away from "
            "those at the end of the window.",
            file=sys.stderr,
        )
