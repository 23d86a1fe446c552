"""Partition and placement: networks of up to ten million neurons, and our placer against those that are published.

python -m benchmarks.mapping [DATA_FOLDER] [--part networks|scaling|placement] [--only NAME] [--effort normal]

DATA_FOLDER, for the part "placement", holds mnist/ and cifar10/ with the networks and images named in
`benchmarks.networks`. Prints Markdown.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.mapping_networks import NETWORKS
from benchmarks.mapping_scale import MAP_SIZES, print_networks, print_scaling
from mapping.placement_options import EFFORTS

PARTS = ("networks", "scaling", "placement")


def main() -> None:
    """Print the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--part", choices=PARTS, help="default: all of them")
    parser.add_argument("--only", help="networks whose name contains this")
    parser.add_argument("--map-sizes", default=",".join(map(str, MAP_SIZES)), help="of the part scaling")
    parser.add_argument("--effort", choices=EFFORTS, default="normal", help="of the part placement")
    parser.add_argument("--samples", type=int, default=16, help="test images of the part placement")
    options = parser.parse_args()
    parts = PARTS if options.part is None else (options.part,)
    if "placement" in parts and options.data is None:
        parser.error("the part placement needs DATA_FOLDER")
    if "networks" in parts:
        print_networks(tuple(name for name in NETWORKS if options.only is None or options.only in name))
    if "scaling" in parts:
        print_scaling(tuple(map(int, options.map_sizes.split(","))))
    if "placement" in parts:
        # torch, imported earlier, would count in the peak of memory of every process started above
        from benchmarks.mapping_placement import print_placements

        print_placements(options.data, options.effort, options.samples, options.only)


if __name__ == "__main__":
    main()
