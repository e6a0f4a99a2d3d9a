"""Language models trained from nothing: masked and causal, ours beside the Trainer and nanoGPT."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bench import outputs
from bench.contenders import Contender
from bench.gpu import flops_of_token, peak_flops
from bench.job import Job
from bench.measures import OURS, Run
from bench.place import PUBLISHED, TEXT, Place
from bench.processes import Done
from bench.row import Row

HELD_OUT_IDS = 32_768
IDS_OF_A_LINE = 12


@dataclass(frozen=True, kw_only=True)
class LanguageRow(Row):
    """``job``, done by all contenders, and the held-out loss of what they trained. The seed is the round's number."""

    job: Job

    def lacks(self, place: Place) -> str | None:
        """See `Row`."""
        published = PUBLISHED.get(self.job.tokenizer)
        return super().lacks(place) or place.lacks(TEXT, *([published] if published else []))

    def quick(self) -> "LanguageRow":
        """Two timed steps; what is meant for a GPU as a tiny model, on whatever is here."""
        job = replace(self.job, steps=4, untimed=2)
        if self.gpu:
            sizes = {"n_embd": 64, "n_layer": 2, "n_head": 2, "hidden_size": 64, "num_hidden_layers": 2}
            sizes |= {"num_attention_heads": 2, "intermediate_size": 128}
            small = {name: sizes.get(name, value) for name, value in job.config.items()}
            job = replace(job, config=small, length=64, batch=2)
        return replace(self, job=job, rounds=1, anywhere=True)

    def contenders(self, place: Place) -> list[Contender]:
        """Ours; the Trainer at its best, on a CPU also at its defaults; nanoGPT where a checkout was named."""
        texts, tokenizer = self._texts(place), place.tokenizer(self.job.tokenizer)

        def ours(seed: int, folder: Path) -> list[str]:
            return self.job.ours(texts, tokenizer, seed, folder / "run", gpu=self.gpu)

        found = [Contender(OURS, ours, partial(self._read_ours, place), "run/export")]
        for name, more in self._settings(place).items():
            peer = partial(self.job.trainer, texts, tokenizer, more=more)
            found.append(Contender(name, peer, partial(self._read_script, place), "model"))
        return [*found, self._nanogpt(place)] if self.job.kind == "clm" and place.nanogpt else found

    def _settings(self, place: Place) -> dict[str, tuple[str, ...]]:
        """Those of the Trainer."""
        if self.gpu:
            best: dict[str, tuple[str, ...]] = {"best": ("--best",)}
            return best | ({"best, compiled": ("--best", "--compile")} if place.gpu else {})
        if self.job.lines:
            return {"defaults": (), "bf16": ("--best",), "best": ("--best", "--grouped")}
        return {"defaults": (), "best": ("--best",)}

    def score(self, place: Place, models: list[str]) -> list[str]:
        """See `Row`."""
        rows = HELD_OUT_IDS // (IDS_OF_A_LINE if self.job.lines else self.job.length)
        tokenizer = place.tokenizer(self.job.tokenizer)
        return self.job.score(self._texts(place), tokenizer, rows=rows, nanogpt=place.nanogpt, models=models)

    def _texts(self, place: Place) -> Path:
        return place.lines if self.job.lines else place.text

    def _nanogpt(self, place: Place) -> Contender:
        data = place.nanogpt_data(self.job.tokenizer, padded=self.gpu)
        on_gpu = self.gpu and place.gpu is not None
        precision = "bf16-mixed" if on_gpu else "32-true"  # on a CPU train.py has no other, whatever its dtype says

        def command(_: int, folder: Path) -> list[str]:
            return self.job.nanogpt(data, folder, gpu=self.gpu, on="cuda" if on_gpu else "cpu")

        def read(done: Done, _: Path) -> list[Run]:
            tokens = self.job.batch * self.job.length
            found = outputs.nanogpt(done, untimed=self.job.untimed, steps=self.job.steps, tokens_of_step=tokens)
            return self._on_gpu(place, done, found | {"precision": precision})

        return Contender("nanoGPT", command, read, "ckpt.pt", cwd=place.nanogpt)

    def _read_ours(self, place: Place, done: Done, folder: Path) -> list[Run]:
        return self._on_gpu(place, done, outputs.run_directory(folder / "run", self.job.untimed))

    def _read_script(self, place: Place, done: Done, _: Path) -> list[Run]:
        return self._on_gpu(place, done, outputs.script(done))

    def _on_gpu(self, place: Place, done: Done, found: Run) -> list[Run]:
        """Add the peak of the GPU's memory, and the share of its FLOP/s where its own are known."""
        if not self.gpu:
            return [found]
        found = found | outputs.script(done)
        if (peak := peak_flops(place.gpu)) is not None:
            flops = flops_of_token(self.job.config, self.job.kind, self.job.length)
            found["mfu"] = found["tokens_per_second"] * flops / peak
        return [found]
