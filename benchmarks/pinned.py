"""Run a module on a number of cores: ``python -m benchmarks.pinned THREADS MODULE ARGUMENT...``.

The process is bound to that many cores before any library counts them, and thread pools that go by OMP_NUM_THREADS
get as many threads. So all contestants have the same cores whatever their own settings are. Needs the standard library
only, as it also starts contestants in other environments.
"""

import os
import runpy
import sys


def main() -> None:
    threads = int(sys.argv[1])
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
