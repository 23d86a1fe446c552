"""Sizes of memory as people write them: 4GiB, 512 MiB, 2GB."""

from __future__ import annotations

import re
from fractions import Fraction

from nmdeploy.errors import NmdeployError

UNITS = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)},
}


def memory_bytes(text: str) -> int:
    """The number of bytes that a size stands for.

    Parameters
    ----------
    text : str
        A number and a unit: B, kB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).

    Raises
    ------
    NmdeployError
        It is no such size, or less than a byte.
    """
    found = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text.lower())
    size = int(Fraction(found[1]) * UNITS[found[2]]) if found is not None and found[2] in UNITS else 0
    if not size:
        raise NmdeployError(f"--memory '{text}' is no size of memory. Give one as 4GiB, 512MiB or 2GB")
    return size
