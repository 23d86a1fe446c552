"""Networks on TrueNorth: accuracy of the lowered networks, cores beside the bound, time and memory of lowering.

python -m benchmarks.crossbars DATA_FOLDER [--networks mnist,resnet8] [--timesteps 64] [--method auto]
    [--calibration-limit 512] [--limit 2000]

DATA_FOLDER holds mnist/ and cifar10/. Prints one Markdown table. Lowering and mapping are timed in the same run; their
memory is the peak of a process of its own that compiles by one method on a few samples, and so an upper limit.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

QUICK = (
    *("--method", "channel-percentile", "--compensation", "none"),
    *("--read-out-from", "0", "--calibration-limit", "16"),
)


@dataclass(frozen=True)
class Case:
    """A network, what it takes to compile it, and its test images."""

    name: str
    model: tuple[str, ...]
    calibration: str
    test: str


def cases(data: Path) -> dict[str, Case]:
    """The networks measured."""
    mnist, cifar = data / "mnist", data / "cifar10"
    return {
        "mnist": Case(
            "MNIST CNN",
            (
                *(f"{mnist}/mnist_cnn_nxtf.pt", "--model", "examples.networks.mnist_cnn:mnist_cnn"),
                *("--input-shape", "1,28,28", "--scale", "255", "--layout", "NHW"),
            ),
            f"{mnist}/mnist_train_part10000.npz",
            f"{mnist}/mnist_test_0000_1999.npz",
        ),
        "resnet8": Case(
            "ResNet-8",
            (
                *(f"{cifar}/resnet8_mlperf_tiny.pt", "--model", "examples.networks.resnet8:resnet8"),
                *("--input-shape", "3,32,32", "--layout", "NHWC"),
            ),
            f"{cifar}/cifar10_train_calib2000.npz",
            f"{cifar}/cifar10_test_0000_1999.npz",
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--networks", default="mnist,resnet8")
    parser.add_argument("--timesteps", default="64")
    parser.add_argument("--method", default="auto")
    parser.add_argument("--calibration-limit", default="512")
    parser.add_argument("--limit", type=int, default=2000)
    options = parser.parse_args()
    print(
        "| network | T | latency | float % | integer % | loss | agree % | cores | bound | chips | in parts | recipe "
        "| lowering s | verifying s | peak GB |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for name in options.networks.split(","):
        for steps in options.timesteps.split(","):
            chosen = ("-T", steps, "--method", options.method, "--calibration-limit", options.calibration_limit)
            print(row(cases(options.data)[name], steps, chosen, options.limit), flush=True)


def row(case: Case, steps: str, chosen: tuple[str, ...], limit: int) -> str:
    """Compile, check and run one network."""
    target = ("--target", "truenorth", "--calibration", case.calibration)
    with tempfile.TemporaryDirectory() as folder:
        quick = ("-T", steps, *QUICK, "-o", str(Path(folder) / "quick.nmd"))
        peak_gb = peak_memory_gb("compile", *case.model, *target, *quick)
        artifact = str(Path(folder) / "network.nmd")
        compiled = call("compile", *case.model, *target, *chosen, "-o", artifact)
        checked = call("check", artifact, "--format", "json")
        ran = call("run", artifact, "--data", case.test, "--limit", str(limit))
    if checked["violations"]:
        raise SystemExit(f"{case.name}: {len(checked['violations'])} violations")
    sums = compiled["sums"]
    cells = (
        case.name,
        steps,
        compiled["latency_steps"],
        f"{ran['float_accuracy']:.2%}",
        f"{ran['accuracy']:.2%}",
        f"{100 * (ran['float_accuracy'] - ran['accuracy']):.2f}",
        f"{ran['agreement']:.2%}",
        f"{compiled['cores']:,}",
        f"{compiled['cores_bound']:,}",
        compiled["chips"],
        f"{sum(not one['exact'] for one in sums)} of {len(sums)}",
        compiled["recipe"],
        f"{compiled['seconds']['lower']:.1f}",
        f"{compiled['seconds']['verify']:.1f}",
        f"{peak_gb:.1f}",
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def peak_memory_gb(*arguments: str) -> float:
    """Peak memory of a command that succeeds."""
    process = subprocess.Popen(
        [sys.executable, "-m", "nmdeploy", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"nmdeploy {' '.join(arguments)} failed")
    return usage.ru_maxrss / 1e6


def call(*arguments: str) -> dict:
    """Run a command and read what it prints."""
    json_option = () if "--format" in arguments else ("--json",)
    done = subprocess.run([sys.executable, "-m", "nmdeploy", *arguments, *json_option], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"nmdeploy {' '.join(arguments)}\n{done.stderr}")
    return json.loads(done.stdout)


if __name__ == "__main__":
    main()
