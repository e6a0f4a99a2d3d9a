"""Versions of installed packages, read without importing them."""

import hashlib
import re
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

PACKAGES = (
    "quatrain",
    "torch",
    "pytorch-lightning",
    "torchmetrics",
    "transformers",
    "tokenizers",
    "datasets",
    "tiktoken",
    "numpy",
    "hydra-core",
    "omegaconf",
    "peft",
    "wandb",
)
"""Those that a model card names."""


def versions() -> dict[str, str]:
    """The installed ones of `PACKAGES`."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def installed() -> dict[str, str]:
    """Every package that this process can import, by its normalized name (PEP 503), sorted; the first found counts."""
    found: dict[str, str] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:  # what a broken installation leaves behind has none
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def code_fingerprint() -> str:
    """The sha256 of quatrain's own source as it is installed here: names and contents of its Python files."""
    package = Path(__file__).resolve().parents[1]
    whole = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        whole.update(f"{file.relative_to(package).as_posix()} {content}\n".encode())
    return whole.hexdigest()
