"""Parts of an array on several threads, for compiled functions that release Python's lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import numpy as np

Result = TypeVar("Result")


def in_threads(count: int, threads: int, work: Callable[[int, int], Result]) -> list[Result]:
    """Apply ``work(start, stop)`` to even parts of ``range(count)``, and give the results in order."""
    if threads == 1 or count < threads:
        return [work(0, count)]
    bounds = np.linspace(0, count, threads + 1).astype(int).tolist()
    return list(_pool(threads).map(work, bounds[:-1], bounds[1:]))


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    # Not numba's own threads: these fix the start method of multiprocessing, after which Lava cannot be imported.
    return ThreadPoolExecutor(threads, thread_name_prefix="nmdeploy")
