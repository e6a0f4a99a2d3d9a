"""One seed for every source of chance in a process."""

import random

import numpy as np

from quatrain.core.errors import UserError

LARGEST_SEED = 2**32 - 1


def seed_everything(seed: int, *, rank: int = 0) -> None:
    """Seed Python, NumPy and PyTorch (all devices) of this process, silently.

    Ranks of one training draw different numbers from one seed, so that their dropout differs; what must be equal on all
    ranks is made under ``rank=0``.

    Raises:
        UserError: the seed is not one that NumPy takes.
    """
    import torch

    if isinstance(seed, bool) or not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"seed={seed} must be a whole number from 0 to {LARGEST_SEED}.")
    derived = seed if rank == 0 else int(np.random.SeedSequence([seed, rank]).generate_state(1)[0])
    random.seed(derived)
    np.random.seed(derived)
    torch.manual_seed(derived)
