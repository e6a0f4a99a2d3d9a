"""The loss over a large vocabulary, forward and backward: the whole table, PyTorch's pieces, and ours.

    python benchmarks/linear_cross_entropy.py [--rows 2048] [--vocabulary 50257] [--rounds 3]

Products in bfloat16, as autocast makes them. Printed are the medians over the rounds, in which all ways run in turn,
and how far the loss is from that of float32.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from quatrain.tasks.linear_cross_entropy import linear_cross_entropy

WIDTH = 256
Way = Callable[[Tensor, Tensor, Tensor], Tensor]


def whole(hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """The table of all logits at once."""
    return functional.cross_entropy(functional.linear(hidden, weight).float(), target, reduction="sum")


def theirs(hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """PyTorch's pieces; autocast would have them in float32."""
    options = nn.LinearCrossEntropyOptions(acc_dtype=torch.float32)
    with torch.autocast("cpu", enabled=False):
        halves = hidden.bfloat16(), weight.bfloat16()
        return functional.linear_cross_entropy(*halves, target, reduction="sum", options=options)


def ours(hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """The project's."""
    return linear_cross_entropy(hidden, weight, None, target).nats


WAYS: dict[str, Way] = {"whole table": whole, "PyTorch's pieces": theirs, "ours": ours}


def main() -> None:
    """Measure all ways in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--vocabulary", type=int, default=50257)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    torch.manual_seed(0)
    hidden = torch.randn(asked.rows, WIDTH, requires_grad=True)
    weight = (torch.randn(asked.vocabulary, WIDTH) * 0.02).requires_grad_()
    target = torch.randint(0, asked.vocabulary, (asked.rows,))
    with torch.no_grad():
        exact = float(whole(hidden, weight, target))
    seconds: dict[str, list[float]] = {name: [] for name in WAYS}
    off: dict[str, float] = {}
    for number in range(asked.rounds + 1):  # the first warms up
        for name, way in WAYS.items():
            began = time.perf_counter()
            with torch.autocast("cpu", torch.bfloat16):
                loss = way(hidden, weight, target)
            loss.backward()
            off[name] = loss.item() / exact - 1
            hidden.grad = weight.grad = None
            if number:
                seconds[name].append(time.perf_counter() - began)
    for name, times in seconds.items():
        print(f"{name:18} {1e3 * statistics.median(times):7.0f} ms   loss off by {off[name]:+.1e}")


if __name__ == "__main__":
    main()
