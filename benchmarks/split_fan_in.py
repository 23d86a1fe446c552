"""What summing fan-in in parts costs: real networks on chips with fewer input axons than their neurons have inputs.

python -m benchmarks.split_fan_in DATA_FOLDER [--only resnet-20] [--axons 400] [--limit N]

Each target is a copy of a known one (4,096 input axons a core) with fewer; `nmdeploy compile --split-fan-in` then sums
in parts what has more inputs. Prints a Markdown table, each network beside itself unsplit.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from pathlib import Path

from benchmarks.conversion import NETWORKS, Row, measure
from hw_profiles import profile_text

WINDOWS = {"loihi2": (16, 32), "loihi": (64,)}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", default="resnet", help="part of the names of networks")
    parser.add_argument("--axons", type=int, default=400, help="input axons a core")
    parser.add_argument("--limit", type=int, default=2000, help="test samples")
    options = parser.parse_args()
    columns = ("network", "target", "T", "input axons", "latency", "float %", "integer %", "loss (95 %)", "agree %",
               "spikes/neuron")  # fmt: skip
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    with tempfile.TemporaryDirectory() as folder:
        for network in NETWORKS:
            if options.only.lower() not in network.name.lower():
                continue
            for target, windows in WINDOWS.items():
                narrow = Path(folder) / f"{target}_narrow.toml"
                narrow.write_text(narrowed(target, options.axons), encoding="utf-8")
                for steps in windows:
                    for chip, axons, extra in (
                        (target, "4,096", ()), (str(narrow), f"{options.axons}, split", ("--split-fan-in",)),
                    ):  # fmt: skip
                        row = measure(
                            options.data, network, chip, steps, axons, extra, limit=options.limit, show=False
                        )
                        print(line(row, target), flush=True)


def narrowed(target: str, axons: int) -> str:
    """The profile of a target with so many input axons a core."""
    text, count = re.subn(
        r"(\[core_limits\.input_axons\]\nvalue = )\d+", rf"\g<1>{axons}", profile_text(target)
    )
    if count != 1:
        raise ValueError(f"{target} has no limit of input axons")
    return text.replace(f'name = "{target}"', f'name = "{target}_narrow"')


def line(row: Row, target: str) -> str:
    """A row of the table."""
    cells = [
        row.network, target, str(row.timesteps), row.variant, str(row.latency_steps), f"{100 * row.float_accuracy:.2f}",
        f"{100 * row.accuracy:.2f}", f"{row.loss:.2f} +- {row.interval:.2f}", f"{100 * row.agreement:.2f}",
        f"{row.spikes_per_neuron:.2f}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
