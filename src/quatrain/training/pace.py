"""How much was trained in how many seconds, and what that is to the device."""

from dataclasses import asdict, dataclass, fields

from quatrain.models.flops import ModelFlops

RATES = ("tokens_per_second", "flops_per_second", "mfu", "data_wait")


@dataclass(frozen=True)
class Totals:
    """What a training came to up to some moment; counts are over all ranks, seconds of this one."""

    tokens: float = 0
    examples: float = 0
    scored: float = 0
    attended: float = 0
    """Pairs of tokens that see one another, as if all examples of a step were of one length (at least so many)."""
    seconds: float = 0.0
    waited: float = 0.0
    """Seconds of these between asking for a batch and having it."""

    def since(self, before: "Totals") -> "Totals":
        """What came after ``before``."""
        own, earlier = asdict(self), asdict(before)
        return Totals(**{field.name: own[field.name] - earlier[field.name] for field in fields(self)})

    def rates(self, flops: ModelFlops | None, peak: float | None, *, listened: bool) -> dict[str, float]:
        """By second: tokens and the model's floating-point operations; the latter's share of ``peak``, and of waiting.

        What is unknown is left out.

        Args:
            flops: of the model.
            peak: floating-point operations a second of all devices together.
            listened: whether waiting was noticed.
        """
        if not self.tokens or not self.seconds:
            return {}
        found = {"tokens_per_second": self.tokens / self.seconds}
        if flops is not None:
            done = flops.of(tokens=self.tokens, scored=self.scored, attended=self.attended)
            found["flops_per_second"] = done / self.seconds
            if peak is not None:
                found["mfu"] = found["flops_per_second"] / peak
        if listened:
            found["data_wait"] = self.waited / self.seconds
        return found
