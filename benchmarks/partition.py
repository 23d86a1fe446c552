"""Partition of well-known networks: cores against their bounds, time, memory, and the reasons of what is refused.

python -m benchmarks.partition [--quick]

Prints Markdown. Seconds are those of the processor; each line is measured in a process of its own, which is what its
peak of memory is of.
"""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.fresh_process import run_in_fresh_process
from benchmarks.mapping_networks import NETWORKS
from benchmarks.power_law import fitted_exponent

TARGETS = ("loihi", "loihi2", "spinnaker")
MAP_SIZES = (13, 40, 125, 395)
"""Of the stack of convolutions: 10 thousand to 10 million neurons."""
QUICK_NETWORKS, QUICK_MAP_SIZES = ("VGG-16, 32 x 32",), (13, 26)


def point(network: str, target: str) -> dict[str, Any]:
    return run_in_fresh_process("benchmarks.partition_point", network, target)


def print_networks(names: tuple[str, ...]) -> None:
    """A table of what fits, and a list of what does not."""
    refused = []
    print("| network | target | neurons | cores | bound | of regular tilings | of several tiles | chips | ", end="")
    print("partition s | place s | verify s | peak MiB |")
    print("|---" * 12 + "|")
    for name in names:
        for target in TARGETS:
            found = point(name, target)
            first = f"| {name} | {target} | {found['neurons']:,} "
            if "refused" in found:
                refused.append((name, target, found["refused"]))
                figures = f"{found['partition_seconds']:.1f} ||| {found['peak_mib']:,.0f}"
                print(f"{first}| refused ||||| {figures} |", flush=True)
                continue
            if found["violations"]:
                raise SystemExit(f"{name} on {target}: {found['violations']} violations")
            sizes = ("cores", "bound", "bound_regular_tilings", "packed_cores", "chips")
            seconds = ("partition_seconds", "place_seconds", "verify_seconds")
            cells = [f"{found[key]:,}" for key in sizes] + [f"{found[key]:.1f}" for key in seconds]
            print(f"{first}| {' | '.join(cells)} | {found['peak_mib']:,.0f} |", flush=True)
    print()
    for name, target, reasons in refused:
        print(f"{name} on {target}:\n")
        print("\n".join(f"- {reason}" for reason in reasons), end="\n\n", flush=True)


def print_scaling(sizes: tuple[int, ...]) -> None:
    """Time against neurons, and the exponent of the power law through it."""
    print("| target | " + " | ".join(["neurons: s of partition, of verification"] * len(sizes)), end="")
    print(" | exponent of partition | of verification |")
    print("|---" * (len(sizes) + 3) + "|")
    for target in TARGETS:
        points = [point(str(size), target) for size in sizes]
        neurons = [item["neurons"] for item in points]
        columns = [[item[key] for item in points] for key in ("partition_seconds", "verify_seconds")]
        cells = [
            f"{count:,}: {first:.2f}, {second:.2f}"
            for count, first, second in zip(neurons, *columns, strict=True)
        ]
        cells += [f"{fitted_exponent(neurons, column):.2f}" for column in columns]
        print(f"| {target} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one network and small maps")
    quick = parser.parse_args().quick
    print_networks(QUICK_NETWORKS if quick else tuple(NETWORKS))
    print_scaling(QUICK_MAP_SIZES if quick else MAP_SIZES)


if __name__ == "__main__":
    main()
