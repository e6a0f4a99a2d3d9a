"""What the three data modules have in common: checked arguments, a tokenizer, ranks, loaders."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytorch_lightning as pl
from torch.utils.data import DataLoader

from quatrain.core.errors import UserError
from quatrain.data.buckets import TokenBudget
from quatrain.data.loaders import BatchedRows, TrainingLoader, evaluation_loader, refuse_no_batch, training_loader
from quatrain.data.sampler import EvaluationBatches, TrainingBatches
from quatrain.tokenizers.tokenizer import Tokenizer

Summary = dict[str, int | float | str]


class LanguageData(pl.LightningDataModule):
    """A data module over rows that are fetched by key.

    Subclasses say in `check` what is wrong with their arguments, prepare in `load` and leave in ``rows`` the dataset of
    each split, in ``summary`` the numbers and in ``fingerprint`` the identity of the corpus. `prepare_data` does the
    work once for all processes; `setup` finds it done, or does it where `prepare_data` was not called. After `setup`:
    ``tokenizer``, ``summary``, the loaders, ``validation_names``, what metrics of each validation loader are called
    (``val`` for the first), and ``monitor``, the metric to choose checkpoints by and which is good, ``min`` or ``max``.

    Args:
        recipe: the tokenizer, or how one is trained.
        batch_size: rows of a training batch; with bucketing or packing the mean, and steps are as many as without.
        eval_batch_size: rows of a batch of validation and test; None: as ``batch_size``.
        num_workers: processes that load batches; 0: the training process itself.
        shuffle: whether training rows come in another order in every epoch.
        drop_last: whether the last batch of an epoch is left out where it is not full.
        seed: of the order of rows, and of masks.
        bucketing: batches of rows of about the same length, each of about the same number of tokens; for training that
            is shuffled.
        packing: rows of a batch one after another without padding, and batches of about the same number of tokens.
    """

    validation_names: tuple[str, ...] = ("val",)
    monitor: tuple[str, str] = ("val/loss", "min")

    def __init__(
        self,
        *,
        recipe: Any,
        batch_size: int,
        eval_batch_size: int | None,
        num_workers: int,
        shuffle: bool,
        drop_last: bool,
        seed: int,
        bucketing: bool = False,
        packing: bool = False,
    ) -> None:
        super().__init__()
        self.recipe, self.num_workers, self.seed = recipe, num_workers, seed
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.shuffle, self.drop_last = shuffle, drop_last
        self.bucketing, self.packing = bucketing, packing
        self.summary: Summary = {}
        self.fingerprint = ""
        self.rows: dict[str, BatchedRows] = {}
        self._tokenizer: Tokenizer | None = None
        self._training_loader: TrainingLoader | None = None
        self._place: dict[str, int] | None = None
        self._parts = 1

    @property
    def tokenizer(self) -> Tokenizer:
        """The fitted tokenizer; there after `setup`."""
        if self._tokenizer is None:
            raise RuntimeError("the tokenizer is fitted by prepare_data() and setup(); call setup() first")
        return self._tokenizer

    @abstractmethod
    def check(self) -> list[str]:
        """Return a sentence for each argument that cannot be meant."""

    @abstractmethod
    def corpus(self) -> Any:
        """Return the cleaned, split input, as it is before it is encoded."""

    @abstractmethod
    def load(self) -> None:
        """Prepare what is not yet prepared, and set ``_tokenizer``, ``rows`` and ``summary``."""

    def refuse_mistakes(self) -> None:
        """Raise a `UserError` with everything that `check` finds."""
        if mistakes := self.check():
            raise UserError(mistakes)

    def prepare_data(self) -> None:
        """Fit the tokenizer, encode the corpus and keep both in the cache, once for all processes."""
        self.setup("fit")

    def setup(self, stage: str | None = None) -> None:
        """Map what was prepared into memory; ``stage`` makes no difference.

        Raises:
            UserError: what is wrong with the source or the tokenizer, or ``drop_last`` leaves no batch.
        """
        if not self.rows:
            self.load()
        refuse_no_batch(self._training_batches())

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the loader of this rank, beginning at the trainer's epoch."""
        self._training_loader = training_loader(
            self.rows["train"],
            self._training_batches(),
            num_workers=self.num_workers,
            pin_memory=self._on_gpu,
        )
        if self._place is not None:
            self._training_loader.load_state_dict(self._place)
            self._place = None
        return self._training_loader

    def state_dict(self) -> dict[str, Any]:
        """The place in the training data, which Lightning keeps in the checkpoint."""
        loader = self._training_loader
        if loader is None:
            return {}
        return {**loader.state_dict(), "batch_size": self.batch_size, "parts": self._parts}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Have the next training loader begin at the place of `state_dict`.

        Exactly so with the same ranks and batches of the same size, or of one by which that is divisible: batches by
        length are then those that there were, each in several parts, until the training ends. With any other size it
        is the same share of the epoch; where batches are by length some rows of it come a second time, and as many not
        at all. With another number of ranks it is the same number of batches.
        """
        self._parts, rest = divmod(state_dict["batch_size"] * state_dict["parts"], self.batch_size)
        if rest or not self._parts:
            self._parts = 1
        batches = state_dict["batches"] * state_dict["batch_size"] // self.batch_size
        self._place = {"epoch": state_dict["epoch"], "batches": batches}

    def val_dataloader(self) -> Any:
        """Return the validation loader; a list where there are several sets, an empty one where there is none."""
        return self._evaluation("validation")

    def test_dataloader(self) -> Any:
        """Return the test loader, as `val_dataloader` does."""
        return self._evaluation("test")

    def predict_dataloader(self) -> Any:
        """Return the test loader, as `test_dataloader` does, labelled or not.

        Each row is given once over all ranks, in the order of the split: the n-th prediction of rank r (fillers
        dropped, as the tasks do) is that of row n * ranks + r.
        """
        rows = {name: self.rows_to_predict(name) for name in self.rows if name.startswith("test")}
        return self._loaders(rows, in_order=True)

    def rows_to_predict(self, split: str) -> BatchedRows:
        """Return the rows of ``split``, each with a place of its own in the batch."""
        return self.rows[split]

    def _training_batches(self) -> TrainingBatches:
        rows = self.rows["train"]
        return TrainingBatches(
            len(rows),
            batch_size=self.batch_size,
            drop_last=self.drop_last,
            buckets=self._buckets(rows) if self.shuffle else None,
            parts=self._parts if self.bucketing and self.shuffle else 1,
            shuffle=self.shuffle,
            seed=self.seed,
            epoch=self.trainer.current_epoch if self.trainer else 0,
            rank=self._rank,
            world_size=self._world_size,
        )

    def _evaluation(self, kind: str) -> Any:
        return self._loaders({name: rows for name, rows in self.rows.items() if name.startswith(kind)})

    def _loaders(self, sets: Mapping[str, BatchedRows], *, in_order: bool = False) -> Any:
        loaders = [
            evaluation_loader(
                rows,
                EvaluationBatches(
                    len(rows),
                    batch_size=self.eval_batch_size or self.batch_size,
                    rank=self._rank,
                    world_size=self._world_size,
                    buckets=None if in_order else self._buckets(rows),
                ),
                num_workers=self.num_workers,
                pin_memory=self._on_gpu,
            )
            for rows in sets.values()
        ]
        return loaders[0] if len(loaders) == 1 else loaders

    def _buckets(self, rows: Any) -> TokenBudget | None:
        """How ``rows``, which then know their lengths, are shared out among batches."""
        return TokenBudget(rows.lengths, packed=self.packing) if self.bucketing else None

    @property
    def _rank(self) -> int:
        return self.trainer.global_rank if self.trainer else 0

    @property
    def _world_size(self) -> int:
        return self.trainer.world_size if self.trainer else 1

    @property
    def _on_gpu(self) -> bool:
        """Whether batches are copied to a GPU, which takes them faster from pinned memory."""
        strategy = getattr(self.trainer, "strategy", None)
        return strategy is not None and strategy.root_device.type == "cuda"


def fitted(recipe: Any, texts: Callable[[], Iterable[str]], corpus: str) -> Tokenizer:
    """Return the tokenizer that ``recipe`` makes of the training texts, kept in the cache where it must be trained.

    ``recipe`` may be a fitted `Tokenizer`. ``corpus`` is the fingerprint of the texts.
    """
    from quatrain.data.cache import fingerprint, prepare_once
    from quatrain.tokenizers.pretrained import Pretrained

    if isinstance(recipe, Tokenizer):
        return recipe
    if not recipe.needs_training:
        tokenizer: Tokenizer = recipe.fit(texts)
        return tokenizer

    def train(folder: Any) -> dict[str, Any]:
        recipe.fit(texts).save(folder)
        return {}

    digest = fingerprint("tokenizers", corpus=corpus, recipe=recipe.fingerprint())
    # Read again by the process that trained it too, so that every process has the very same.
    folder = prepare_once("tokenizers", digest, train)
    arguments = {name: getattr(recipe, name) for name in ("allowed_special", "engine") if hasattr(recipe, name)}
    return Pretrained(source=str(folder), **arguments).fit(texts)
