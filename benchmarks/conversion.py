"""Accuracy left after conversion, with latency, throughput and spikes: the tables of docs/conversion.md.

python -m benchmarks.conversion DATA_FOLDER [--part table|ablation] [--only NAME,...] [--windows 8,16] [--json FILE]

DATA_FOLDER holds mnist/ and cifar10/. Every row is one `nmdeploy compile` and one `nmdeploy run` over all test samples
of the network (the options are printed with --commands). Calibration uses training samples only. The lines of the
ablation keep the method and headroom that 'auto' has chosen for their first line, unless these are what they change.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nmdeploy.artifact.artifact import read_artifact
from nmdeploy.data_file import read_data
from nmdeploy.spiking.evaluate import evaluate


@dataclass(frozen=True)
class Network:
    """A trained network with its data, below the folder of data.

    Attributes
    ----------
    name : str
    options : tuple of str
        Of `nmdeploy compile`; ``{data}`` stands for the folder.
    test : str
    targets : dict of target to windows
        What the table shows.
    """

    name: str
    options: tuple[str, ...]
    test: str
    targets: dict[str, tuple[int, ...]]


CIFAR_CALIBRATION = ("--calibration", "{data}/cifar10/cifar10_train_calib2000.npz", "--input-shape", "3,32,32")
NETWORKS = (
    Network(
        "ResNet-20, CIFAR-10",
        (
            "{data}/cifar10/resnet20_cifar10.pt", "--model", "examples.networks.resnet:resnet20",
            "--scale", "255", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225", "--layout", "NHWC",
            *CIFAR_CALIBRATION,
        ),
        "cifar10/cifar10_test_0000_1999.npz",
        {"loihi2": (4, 8, 16, 32), "loihi": (16, 32, 64)},
    ),
    Network(
        "ResNet-8, CIFAR-10",
        (
            "{data}/cifar10/resnet8_mlperf_tiny.pt", "--model", "examples.networks.resnet8:resnet8",
            "--layout", "NHWC", *CIFAR_CALIBRATION,
        ),
        "cifar10/cifar10_test_0000_1999.npz",
        {"loihi2": (4, 8, 16), "loihi": (16, 32, 64)},
    ),
    Network(
        "MNIST CNN",
        (
            "{data}/mnist/mnist_cnn_nxtf.pt", "--model", "examples.networks.mnist_cnn:mnist_cnn",
            "--input-shape", "1,28,28", "--scale", "255", "--layout", "NHW",
            "--calibration", "{data}/mnist/mnist_train_part10000.npz",
        ),
        "mnist/mnist_test_0000_1999.npz",
        {"loihi2": (2, 4, 8), "loihi": (4, 8, 16)},
    ),
)
AUTO_LINE = "auto"
READ_FROM_FIRST_STEP = ("--read-out-from", "0")
PLAIN = (
    "--method", "channel-max", "--neurons", "if", "--initial-potential", "0", "--compensation", "none",
    *READ_FROM_FIRST_STEP,
)
# One line for each ingredient switched off or exchanged.
ABLATION: dict[str, tuple[str, ...]] = {
    AUTO_LINE: (),
    "lead of one step everywhere": ("--neurons", "paced", "--lead", "1"),
    "lead of 2 steps everywhere": ("--neurons", "paced", "--lead", "2"),
    "no lead": ("--neurons", "paced", "--lead", "0"),
    "no refinement steps": ("--refinement-steps", "0"),
    "outputs read from the first step on": READ_FROM_FIRST_STEP,
    "no compensation": ("--compensation", "none"),
    "gain search in place of bias correction": ("--compensation", "gain"),
    "no spikes taken back": ("--neurons", "paced", "--release", "never"),
    "shifts in place of products": ("--neurons", "paced", "--shift-only"),
    "count memory without pace and lead": ("--neurons", "signed"),
    "plain integrate-and-fire": ("--neurons", "if"),
    "no headroom": ("--headroom", "1"),
    "channel percentile thresholds": ("--method", "channel-percentile"),
    "one threshold a layer, percentile": ("--method", "layer-percentile"),
    "local threshold balancing": ("--method", "local-balancing"),
    "no shortcut normalisation": ("--no-shortcut-normalisation",),
    "weights of 5 bits": ("--weight-bits", "5"),
    "weights of 4 bits": ("--weight-bits", "4"),
    "plain baseline: channel maximum, potentials from 0": PLAIN,
}


@dataclass(frozen=True)
class Row:
    """One compiled and measured network; losses in percentage points."""

    network: str
    target: str
    variant: str
    timesteps: int
    recipe: str
    method: str
    headroom: float
    latency_steps: int
    steps_per_sample: int
    samples: int
    float_accuracy: float
    accuracy: float
    loss: float
    interval: float
    agreement: float
    spikes_per_neuron: float
    saturations: int
    seconds: float


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("table", "ablation"), default="table")
    parser.add_argument("--only", help="parts of names of networks, separated by commas")
    parser.add_argument("--targets", help="separated by commas")
    parser.add_argument("--windows", help="time steps, separated by commas")
    parser.add_argument("--limit", type=int, default=2000, help="test samples")
    parser.add_argument("--json", type=Path, help="write all rows here")
    parser.add_argument("--commands", action="store_true", help="print the commands on stderr")
    options = parser.parse_args()
    print("| network | target | variant | T | latency | steps/sample | float % | integer % | loss (95 %) | agree % |"
          " spikes/neuron | recipe |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    rows = []
    for network, target, steps, variant, extra in _jobs(options):
        if variant == AUTO_LINE:
            chosen: tuple[str, ...] = ()
        same_method = () if "--method" in extra else chosen
        rows.append(
            measure(
                options.data, network, target, steps, variant, (*same_method, *extra),
                limit=options.limit, show=options.commands,
            )
        )
        if variant == AUTO_LINE:
            chosen = ("--method", rows[-1].method, "--headroom", str(rows[-1].headroom))
        print(_line(rows[-1]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))


def _jobs(options: argparse.Namespace) -> Iterator[tuple[Network, str, int, str, tuple[str, ...]]]:
    wanted = options.only.lower().split(",") if options.only else [""]
    for network in NETWORKS:
        if not any(part in network.name.lower() for part in wanted):
            continue
        for target, usual in network.targets.items():
            if options.targets and target not in options.targets.split(","):
                continue
            windows = [int(steps) for steps in options.windows.split(",")] if options.windows else list(usual)
            for steps in windows:
                if options.part == "table":
                    yield network, target, steps, AUTO_LINE, ()
                    yield network, target, steps, "plain baseline", PLAIN
                    continue
                for variant, extra in ABLATION.items():
                    if _makes_a_difference(target, extra):
                        yield network, target, steps, variant, extra


def _makes_a_difference(target: str, extra: tuple[str, ...]) -> bool:
    """Fixed neurons have no pace and refine nothing; paced ones are read from the first step on anyway."""
    if target == "loihi":
        return not {"paced", "signed", "--refinement-steps"} & set(extra)
    return extra != READ_FROM_FIRST_STEP


def measure(
    data: Path, network: Network, target: str, timesteps: int, variant: str, extra: tuple[str, ...], *, limit: int,
    show: bool,
) -> Row:
    """Compile, run all test samples and compare with the float network, sample by sample."""
    with tempfile.TemporaryDirectory() as folder:
        artifact, outputs = Path(folder) / "network.nmd", Path(folder) / "outputs.npz"
        model = [option.format(data=data) for option in network.options]
        summary = nmdeploy(
            ["compile", *model, "--target", target, "-T", str(timesteps), "-o", str(artifact), *extra], show
        )
        test = data / network.test
        report = nmdeploy(
            ["run", str(artifact), "--data", str(test), "--limit", str(limit), "--output", str(outputs)], show
        )
        with np.load(outputs) as written:
            predictions = written["predictions"]
        dataset, compiled = read_data(test, limit), read_artifact(artifact)
        samples = compiled.manifest.preprocessing.apply(dataset.samples, compiled.network.input_shape)
        expected = evaluate(compiled.float_network, samples).argmax(axis=1)
    assert dataset.labels is not None
    loss, interval = paired_loss(expected == dataset.labels, predictions == dataset.labels)
    return Row(
        network=network.name,
        target=target,
        variant=variant,
        timesteps=timesteps,
        recipe=summary["recipe"],
        method=summary["method"],
        headroom=summary["headroom"],
        latency_steps=summary["latency_steps"],
        steps_per_sample=summary["steps_per_sample"],
        samples=report["samples"],
        float_accuracy=report["float_accuracy"],
        accuracy=report["accuracy"],
        loss=loss,
        interval=interval,
        agreement=report["agreement"],
        spikes_per_neuron=report["spikes_per_inference"] / summary["neurons"],
        saturations=report["saturations"],
        seconds=sum(summary["seconds"].values()),
    )


def paired_loss(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, float]:
    """Percentage points lost, and half the width of their 95 % interval (normal, paired samples).

    Parameters
    ----------
    before, after : bool arrays, (samples,)
        Whether each sample is decided as labelled.
    """
    difference = before.astype(np.float64) - after.astype(np.float64)
    deviation = float(difference.std(ddof=1)) if len(difference) > 1 else math.inf
    return 100.0 * float(difference.mean()), 196.0 * deviation / math.sqrt(len(difference))


def nmdeploy(arguments: list[str], show: bool) -> dict:
    """Run a command and read its JSON."""
    if show:
        print("nmdeploy", *arguments, file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "nmdeploy", *arguments, "--json"], capture_output=True
    )
    if done.returncode:
        raise SystemExit(f"nmdeploy {' '.join(arguments)} failed: {done.stderr.decode()}")
    result: dict = json.loads(done.stdout)
    return result


def _line(row: Row) -> str:
    cells = (
        row.network, row.target, row.variant, row.timesteps, row.latency_steps, row.steps_per_sample,
        f"{row.float_accuracy:.2%}", f"{row.accuracy:.2%}", f"{row.loss:.2f} +- {row.interval:.2f}",
        f"{row.agreement:.2%}", f"{row.spikes_per_neuron:.2f}", row.recipe,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


if __name__ == "__main__":
    main()
