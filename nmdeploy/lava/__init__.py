"""Lava processes of a compiled network, and running them in a disposable child process.

Granularity "layer" has a Lava process for each population and each projection, granularity "core" one for each used
core of the placement; both compute every spike of `nmdeploy.simulator.simulate`. For a Lava program of your own there
are `build` and `input_currents`; `runner` runs samples through a network file. These can be imported without Lava.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nmdeploy.lava.build_program import build, input_currents

__all__ = ["build", "input_currents"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: the worker must start even where a package is missing."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nmdeploy.lava import build_program

    return getattr(build_program, name)
