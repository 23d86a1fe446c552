"""Write a folder beside its place and move it there when it is whole."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """Give a fresh folder that takes the place of `folder` when the block ends without an exception.

    The old folder is moved aside for the one rename and then removed; if that rename fails it is moved back.

    Yields
    ------
    Path
        A new empty folder beside `folder`.
    """
    parent = folder.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=parent))
    try:
        fresh, old = work / "new", work / "old"
        fresh.mkdir()
        yield fresh
        replacing = folder.exists()
        if replacing:
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if replacing:
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
