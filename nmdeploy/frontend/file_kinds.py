"""What kind of file this is, told from its content and never from its name."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from nmdeploy.errors import ModelFileError

RESAVE = 'nmdeploy.save(module, example_input, "model.pt")'
_LATER = "reading it comes in a later release. Until then load the network in Python and call"
_HDF5_MAGIC = b"\x89HDF\r\n\x1a\n"


def require_torch_pickle(path: Path) -> None:
    """Accept files that ``torch.load`` reads with a pickle inside, whose classes are still to be checked.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ModelFileError
        The file is missing, empty or damaged, or of a kind that is refused; the message names the kind.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from error
    if not head:
        raise ModelFileError(f"{path} is empty")
    if head.startswith(_HDF5_MAGIC):
        raise ModelFileError(f"{path} is HDF5 (.nir, .net): {_LATER} {RESAVE}")
    if head.startswith(b"PK"):
        _require_torch_zip(path)
    elif not head.startswith(b"\x80") or tarfile.is_tarfile(path):
        # Every pickle of a protocol that torch writes begins so; tar archives are of torch before 0.4.
        raise ModelFileError(f"{path} is no model file: {_guess(head)}. Load the network in Python and call {RESAVE}")


def _require_torch_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError, OSError) as error:
        raise ModelFileError(f"{path} is damaged or incomplete: {error}") from error
    inner = {name.split("/", 1)[-1] for name in names}
    if any(name.startswith("code/") for name in inner) or "constants.pkl" in inner:
        raise ModelFileError(
            f"{path} is TorchScript, which is code. Load the nn.Module it was made from and call {RESAVE}"
        )
    if any("serialized_exported_program" in name or name.startswith("models/") for name in inner | set(names)):
        raise ModelFileError(
            f"{path} is an exported program (.pt2), which can execute code when it is loaded. "
            f"Load the nn.Module it was made from and call {RESAVE}"
        )
    if names and all(name.endswith(".npy") for name in names):
        raise ModelFileError(f"{path} holds NumPy arrays; that is a data file, not a model")
    if "data.pkl" not in inner:
        raise ModelFileError(f"{path} is a zip archive, but no file of torch.save. Use {RESAVE}")


def _guess(head: bytes) -> str:
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32:
        return "it looks like safetensors, which holds no architecture"
    if b"onnx" in head.lower() or b"pytorch" in head:
        return "it looks like ONNX"
    return "its content is of no known kind"
