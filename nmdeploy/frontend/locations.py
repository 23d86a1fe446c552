"""Where in the user's source a call was made."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch

_NOT_THE_USER = (str(Path(torch.__file__).parent) + os.sep, str(Path(__file__).parent) + os.sep)


@contextlib.contextmanager
def trace_boundary() -> Iterator[None]:
    """Frames outside of this context are the caller's of the tracer, not of the traced network."""
    global _outermost
    previous, _outermost = _outermost, _depth(sys._getframe(2))
    try:
        yield
    finally:
        _outermost = previous


_outermost = 0


def _depth(frame: object) -> int:
    depth = 0
    while frame is not None:
        depth += 1
        frame = getattr(frame, "f_back", None)
    return depth


def user_location() -> str:
    """``file:line`` of the innermost frame of the network's own code, or "" where only torch's code runs."""
    frame = sys._getframe(1)
    remaining = _depth(frame) - _outermost
    while remaining > 0 and frame.f_back is not None:
        if _is_users(frame.f_code.co_filename):
            return _format(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
        remaining -= 1
    return ""


def exception_location(error: BaseException) -> str:
    """``file:line`` of the user's innermost frame that an exception passed, or ""."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_users(frame.filename)]
    return _format(frames[-1].filename, frames[-1].lineno or 0) if frames else ""


def _is_users(filename: str) -> bool:
    return not filename.startswith((*_NOT_THE_USER, "<"))


def _format(filename: str, line: int) -> str:
    relative = os.path.relpath(filename) if Path(filename).is_relative_to(Path.cwd()) else filename
    return f"{relative}:{line}"
