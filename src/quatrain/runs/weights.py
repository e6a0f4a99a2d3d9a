"""The identity of a model's weights."""

import hashlib
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

CHUNK_BYTES = 1 << 24


def weights_fingerprint(model: Any) -> str:
    """Return the sha256 of a model's state: of the names, dtypes, shapes and bytes of all its tensors.

    It does not depend on the device, on the order of the names, or on how a tensor lies in memory. Nothing on a CPU is
    copied but what is not contiguous; from a GPU one tensor for each thread is. Tied tensors are read once. Threads
    share the tensors, as hashing gives the interpreter free.
    """
    return fingerprint(model.state_dict())


def fingerprint(state: Mapping[str, "Tensor"]) -> str:
    """As `weights_fingerprint`, of a state by itself."""
    places = {name: _place(tensor) for name, tensor in state.items()}
    once = {place: state[name] for name, place in places.items()}
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        digests = dict(zip(once, pool.map(_digest, once.values()), strict=True))
    whole = hashlib.sha256()
    for name in sorted(state):
        shape = ",".join(map(str, state[name].shape))
        whole.update(f"{name} {state[name].dtype} [{shape}] {digests[places[name]]}\n".encode())
    return whole.hexdigest()


def _place(tensor: "Tensor") -> tuple[Any, ...]:
    """Where a tensor's numbers lie: two of one place are one."""
    return (str(tensor.device), tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())


def _digest(tensor: "Tensor") -> str:
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    digest = hashlib.sha256()
    for start in range(0, flat.numel(), CHUNK_BYTES):
        digest.update(flat[start : start + CHUNK_BYTES].numpy().data)
    return digest.hexdigest()
