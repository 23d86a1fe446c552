"""Write a file beside its place and move it there when it is whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_text_whole(path: Path, text: str) -> None:
    """Write UTF-8 text; a crash leaves the old file or none.

    Raises
    ------
    OSError
        The folder does not exist or cannot be written to.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)  # mkstemp makes it private
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
