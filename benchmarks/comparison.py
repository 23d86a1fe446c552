"""Our simulator, the float bound and SpikingJelly on the same images and cores, taking turns."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any

from benchmarks.contestant import Contestant
from benchmarks.networks import Prepared

SIMULATOR = "nmdeploy simulator"
FLOAT_BOUND = "T x float network"
SPIKINGJELLY = "SpikingJelly, "
EXAMPLE_MODE = "single-step, contiguous"
"""As its examples run the converted network."""
OTHER_MODES = 2
"""The fastest other modes of the screening that take turns too: a screening alone may be misled by noise."""
REST_SECONDS = 0.2
"""Between turns, so that the thread pool of the one before has stopped spinning."""
Turn = Callable[[], dict[str, Any]]


def compare(
    prepared: Prepared,
    *,
    threads: int,
    batches: tuple[int, ...],
    bound: bool,
    spikingjelly_python: str | None,
    rounds: tuple[int, int],
    seconds: float,
) -> list[dict[str, Any]]:
    """Time all contestants at each batch size.

    Parameters
    ----------
    prepared : Prepared
    threads : int
        Cores for each.
    batches : tuple of int
        Images at once.
    bound : bool
        Whether the float bound takes part.
    spikingjelly_python : str or None
        Interpreter of SpikingJelly's environment; None leaves it out.
    rounds : (int, int)
        Least and most rounds.
    seconds : float
        No further round starts after this time, at one batch size.

    Returns
    -------
    list of dict
        For each batch size: network, threads, batch, and for each contestant all its seconds, and what it said.
    """
    folder, name = str(prepared.folder), prepared.case.name
    results = []
    with ExitStack() as stack:
        ours = stack.enter_context(Contestant(sys.executable, threads, "benchmarks.simulator_contestant", folder))
        dense = peer = None
        if bound:
            dense = stack.enter_context(Contestant(sys.executable, threads, "benchmarks.float_contestant", folder))
        if spikingjelly_python is not None:
            module = "benchmarks.spikingjelly_contestant"
            peer = stack.enter_context(Contestant(spikingjelly_python, threads, module, folder))
        for batch in batches:
            turns: dict[str, Turn] = {SIMULATOR: lambda batch=batch: ours.ask(batch=batch)}
            if dense is not None:
                dense.ask(batch=batch, screen=True)
                turns[FLOAT_BOUND] = lambda batch=batch: dense.ask(batch=batch)
            if peer is not None:
                turns |= _peer_turns(peer, batch)
            contestants = interleaved(turns, rounds, seconds)
            results.append({"network": name, "threads": threads, "batch": batch, "contestants": contestants})
    return results


def _peer_turns(peer: Contestant, batch: int) -> dict[str, Turn]:
    """SpikingJelly as its examples run it, and in the other modes that seem fastest here."""
    screened = peer.ask(batch=batch, screen=True)
    others = sorted(set(screened) - {EXAMPLE_MODE}, key=lambda mode: screened[mode])[:OTHER_MODES]
    return {
        f"{SPIKINGJELLY}{mode}": lambda mode=mode: peer.ask(batch=batch, mode=mode) for mode in (EXAMPLE_MODE, *others)
    }


def interleaved(turns: Mapping[str, Turn], rounds: tuple[int, int], seconds: float) -> dict[str, dict[str, Any]]:
    """Let everyone take a turn in every round, each round beginning with another one.

    Parameters
    ----------
    turns : mapping of name to callable
        Each returns a reply with "seconds".
    rounds : (int, int)
        Least and most.
    seconds : float
        No further round starts after this time.

    Returns
    -------
    dict of name to dict
        The last reply, with the list of all seconds in place of "seconds".
    """
    names = list(turns)
    replies: dict[str, dict[str, Any]] = {}
    times: dict[str, list[float]] = {name: [] for name in names}
    begin = time.perf_counter()
    done = 0
    while done < rounds[0] or (done < rounds[1] and time.perf_counter() - begin < seconds):
        first = done % len(names)
        for name in names[first:] + names[:first]:
            time.sleep(REST_SECONDS)
            replies[name] = turns[name]()
            times[name].append(replies[name]["seconds"])
        done += 1
    return {name: {**replies[name], "seconds": times[name]} for name in names}
