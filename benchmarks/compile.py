"""Time and peak memory of compiling real networks, and accuracy of the integer networks, each in a process of its own.

python -m benchmarks.compile DATA_FOLDER [--accuracy]

DATA_FOLDER holds mnist/ and cifar10/ with the networks and images named below. Prints a Markdown table.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """A network with what it takes to compile it and the test images for its accuracy."""

    name: str
    options: tuple[str, ...]
    test: str
    samples: int


def cases(data: Path) -> list[Case]:
    """The networks measured."""
    mnist = data / "mnist"
    return [
        Case(
            "MNIST CNN, loihi, T = 32",
            (
                f"{mnist}/mnist_cnn_nxtf.pt", "--model", "examples.networks.mnist_cnn:mnist_cnn",
                "--input-shape", "1,28,28", "--scale", "255", "--layout", "NHW",
                "--target", "loihi", "--timesteps", "32",
                "--calibration", f"{mnist}/mnist_train_part10000.npz", "--calibration-limit", "500",
            ),
            f"{mnist}/mnist_test_0000_1999.npz",
            2000,
        ),
        resnet20(data, "loihi", 64),
        resnet20(data, "loihi2", 16),
    ]


def resnet20(data: Path, target: str, timesteps: int) -> Case:
    """ResNet-20 on CIFAR-10."""
    cifar = data / "cifar10"
    return Case(
        f"ResNet-20, {target}, T = {timesteps}",
        (
            f"{cifar}/resnet20_cifar10.pt", "--model", "examples.networks.resnet:resnet20",
            "--input-shape", "3,32,32", "--scale", "255", "--mean", "0.485,0.456,0.406",
            "--std", "0.229,0.224,0.225", "--layout", "NHWC", "--target", target, "--timesteps", str(timesteps),
            "--calibration", f"{cifar}/cifar10_train_calib2000.npz", "--calibration-limit", "512",
        ),
        f"{cifar}/cifar10_test_0000_1999.npz",
        200,
    )  # fmt: skip


def nmdeploy(*arguments: str) -> tuple[dict[str, object], float, float, float]:
    """Run a command with JSON output: its result, wall seconds, processor seconds and peak memory in MiB."""
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "nmdeploy", *arguments], stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = _wait(process)
    if status:
        raise SystemExit(f"nmdeploy {' '.join(arguments)} failed")
    wall = time.perf_counter() - begin
    return json.loads(output), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _wait(process: "subprocess.Popen[bytes]") -> tuple[int, int, resource.struct_rusage]:
    return os.wait4(process.pid, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--accuracy", action="store_true", help="also run the test images")
    options = parser.parse_args()
    print("| network | wall s | processor s | peak MiB | method | cores (bound) | chips | float | integer |")
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for case in cases(options.data):
            artifact = f"{folder}/network.nmd"
            summary, wall, processor, peak = nmdeploy("compile", *case.options, "-o", artifact, "--json")
            accuracy = ("", "")
            if options.accuracy:
                run, *_ = nmdeploy("run", artifact, "--data", case.test, "--limit", str(case.samples), "--json")
                correct = f"{run['correct']}/{run['samples']}"
                accuracy = (f"{run['float_accuracy']:.2%}", f"{run['accuracy']:.2%} ({correct})")
            cores = f"{summary['cores']} ({summary['cores_bound']})"
            figures = (f"{wall:.1f}", f"{processor:.1f}", f"{peak:.0f}", summary["method"], cores, summary["chips"])
            print("| " + " | ".join(map(str, (case.name, *figures, *accuracy))) + " |", flush=True)


if __name__ == "__main__":
    main()
