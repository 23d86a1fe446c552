"""Compare what two backends wrote with `nmdeploy run --output`: equal potentials and spike counts, or exit 1.

python -m examples.digits.same_spikes simulator.npz lava.npz
"""

import sys

import numpy as np


def main(first: str, second: str) -> int:
    with np.load(first) as a, np.load(second) as b:
        if set(a.files) != set(b.files):
            print(f"{first} and {second} hold different arrays")
            return 1
        different = [name for name in a.files if not np.array_equal(a[name], b[name])]
        counts = [name for name in a.files if name.startswith("spike_counts/")]
        spikes = sum(int(a[name].sum()) for name in counts)
    if different:
        print(f"different: {', '.join(different)}")
        return 1
    print(f"identical: potentials after every step, and {spikes:,} spikes of {len(counts)} populations")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
