"""Well-known networks on chips: cores against their bounds, hops, time, memory, and the reasons of what is refused.

Seconds are those of the processor; each line is measured in a process of its own, which is what its peak of memory is
of. Hops are means of a message where every neuron spikes once.
"""

from __future__ import annotations

from typing import Any

from benchmarks.fresh_process import run_in_fresh_process
from benchmarks.power_law import fitted_exponent

TARGETS = ("loihi", "loihi2", "spinnaker")
MAP_SIZES = (13, 40, 125, 395)
"""Of the stack of convolutions: 10 thousand to 10 million neurons."""


def point(network: str, target: str) -> dict[str, Any]:
    return run_in_fresh_process("benchmarks.mapping_point", network, target)


def print_networks(names: tuple[str, ...]) -> None:
    """A table of what fits, and a list of what does not."""
    refused = []
    print("| network | target | neurons | cores | bound | of regular tilings | of several tiles | chips | ", end="")
    print("hops as partitioned | placed | partition s | place s | verify s | peak MiB |")
    print("|---" * 14 + "|")
    for name in names:
        for target in TARGETS:
            found = point(name, target)
            first = f"| {name} | {target} | {found['neurons']:,} "
            if "refused" in found:
                refused.append((name, target, found["refused"]))
                figures = f"{found['partition_seconds']:.1f} ||| {found['peak_mib']:,.0f}"
                print(f"{first}| refused ||||||| {figures} |", flush=True)
                continue
            if found["violations"]:
                raise SystemExit(f"{name} on {target}: {found['violations']} violations")
            sizes = ("cores", "bound", "bound_regular_tilings", "packed_cores", "chips")
            seconds = ("partition_seconds", "place_seconds", "verify_seconds")
            cells = [f"{found[key]:,}" for key in sizes]
            cells += [f"{found[key]:.2f}" for key in ("hops_as_partitioned", "hops")]
            cells += [f"{found[key]:.1f}" for key in seconds]
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
