"""Time and memory of an energy report, and what the report says, for ResNet-20 on CIFAR-10.

python -m benchmarks.energy DATA_FOLDER [--limit 100] [--timesteps 32]

DATA_FOLDER holds cifar10/ with the network and images that `benchmarks.compile` names. The network is compiled for
loihi and loihi2; `nmdeploy energy` then simulates test images and counts, in a process of its own. Prints Markdown
tables.
"""

import argparse
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.compile import nmdeploy, resnet20
from benchmarks.report import table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--limit", type=int, default=100, help="test images")
    parser.add_argument("--timesteps", type=int, default=32)
    options = parser.parse_args()
    speed, comparisons = [], []
    with tempfile.TemporaryDirectory() as folder:
        for target in ("loihi", "loihi2"):
            artifact = f"{folder}/{target}.nmd"
            case = resnet20(options.data, target, options.timesteps)
            nmdeploy("compile", *case.options, "-o", artifact, "--json")
            report, wall, processor, peak = nmdeploy(
                "energy", artifact, "--data", case.test, "--limit", str(options.limit), "--format", "json"
            )
            extent = (target, report["samples"], report["timesteps"])
            speed.append((*extent, f"{wall:.1f}", f"{processor:.1f}", f"{peak:.0f}"))
            comparisons += comparison_rows(target, report)
    print(table(("target", "images", "T", "wall s", "processor s", "peak MiB"), speed))
    print()
    headings = ("target", "both in", "spiking uJ", "trained uJ", "ratio", "spiking with memory uJ", "trained", "ratio")
    print(table((*headings, "break-even"), comparisons))


def comparison_rows(target: str, report: dict[str, Any]) -> list[tuple[str, ...]]:
    """Both networks in each number format."""
    return [
        (
            f"{target}, {report['spikes_per_synapse']:.2f} spikes a synapse",
            one["name"],
            f"{one['spiking_pj'] / 1e6:.2f}",
            f"{one['trained_pj'] / 1e6:.2f}",
            f"{one['ratio']:.3g}",
            f"{one['spiking_with_memory_pj'] / 1e6:,.0f}",
            f"{one['trained_with_memory_pj'] / 1e6:,.0f}",
            f"{one['ratio_with_memory']:.3g}",
            f"{one['break_even']:.2f}",
        )
        for one in report["comparisons"]
    ]


if __name__ == "__main__":
    main()
