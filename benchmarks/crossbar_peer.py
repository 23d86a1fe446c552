"""Networks on crossbars in our simulator and in RANC's, spike for spike.

python -m benchmarks.crossbar_peer RANC_SIMULATOR

RANC_SIMULATOR is the executable that RANC's simulator/ builds; nothing of it is part of nmdeploy. Exit code 1 if a
spike differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.crossbar_comparison import CrossbarCase, compare_with_ranc
from benchmarks.hand_made_crossbars import hand_made_crossbars


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ranc_simulator", type=Path)
    options = parser.parse_args()
    problems = []
    for case in cases():
        comparison = compare_with_ranc(case, options.ranc_simulator)
        print("\n".join([*comparison.table(), ""]), flush=True)
        problems += [f"{case.name}: {problem}" for problem in comparison.problems()]
    print("\n".join(problems) or "No spike differs.")
    sys.exit(bool(problems))


def cases() -> list[CrossbarCase]:
    """All that is compared."""
    return [hand_made_crossbars()]


if __name__ == "__main__":
    main()
