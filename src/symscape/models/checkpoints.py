"""Tell which family a checkpoint belongs to without running anything that it holds."""

from __future__ import annotations

import json
import pickletools
import zipfile
from pathlib import Path
from typing import IO

# A pickle names the classes it needs; a file of bare tensors is told by theirs.
_MODULES = {
    "mace.": "mace",
    "sevenn.": "sevenn",
    "chgnet.": "chgnet",
    "matgl.": "matgl",
    "orb_models.": "orb",
}
# parts of the names of weights that only one family has
_PARTS = {
    "_encoder._node_fn.": "orb",
    "gnn_stacks.": "orb",
    "onehot_to_feature_x.": "sevenn",
    "atom_conv_layers.": "chgnet",
}


def recognize_family(path: Path) -> str | None:
    """Return the family that a checkpoint belongs to, or None if nothing tells.

    Reads the opcodes of the pickles inside the file; no object is built and no code is run.

    Parameters
    ----------
    path
        A checkpoint file, or a folder as matgl saves models.
    """
    if path.is_dir():
        return _recognize_folder(path)
    if path.suffix == ".nqx":
        return "nequix"
    try:
        strings = _pickled_strings(path)
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, IndexError, KeyError):
        return None
    for text in strings:
        for prefix, family in _MODULES.items():
            if text.startswith(prefix) or text == prefix.rstrip("."):
                return family
    for part, family in _PARTS.items():
        if any(part in text for text in strings):
            return family
    return None


def _recognize_folder(path: Path) -> str | None:
    description = path / "model.json"
    if not description.is_file():
        return None
    try:
        module = json.loads(description.read_text(encoding="utf-8")).get("@module", "")
    except (ValueError, OSError, AttributeError):
        return None
    package = str(module).partition(".")[0]
    return package if package in ("matgl", "diep") else None


def _pickled_strings(path: Path) -> set[str]:
    """Collect the strings (names of classes, keys) in a torch file's pickles."""
    if not zipfile.is_zipfile(path):
        with open(path, "rb") as file:
            return _strings(file)
    found: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith((".pkl", "/constants.pkl")):
                with archive.open(name) as file:
                    found |= _strings(file)
            # TorchScript keeps its classes as source files named after their modules
            elif "/code/__torch__/" in name:
                found.add(name.split("/code/__torch__/", 1)[1].replace("/", "."))
    return found


def _strings(file: IO[bytes]) -> set[str]:
    found: set[str] = set()
    for opcode, argument, _ in pickletools.genops(file):
        if isinstance(argument, str) and opcode.name not in ("PERSID",):
            found.add(argument.replace(" ", ".") if opcode.name == "GLOBAL" else argument)
    return found
