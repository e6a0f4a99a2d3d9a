"""Names, one a line: a data module of our own, for causal language modelling."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from quatrain.core.batches import IGNORED
from quatrain.core.errors import UserError
from quatrain.corpora.splits import Key, Shares, deal_random
from quatrain.data.collate import Layout
from quatrain.data.module import LanguageData, fitted
from quatrain.data.sampler import rows_of


class Names(LanguageData):
    """Each name is an example of its own: its letters between two ends of text, padded to the longest of the batch.

    `LanguageData` brings the loaders, the ranks and the exact resume. Left to us are three methods: `check`, `corpus`
    and `load`, which leaves ``rows``, ``summary`` and ``fingerprint``. Every argument here is a key of the config
    (``data.batch_size``); its default stands here and nowhere else. ``tokenizer`` is given by the run.
    """

    def __init__(
        self,
        *,
        tokenizer: Any,
        source: str,
        validation_share: float = 0.1,
        test_share: float = 0.1,
        split_seed: int = 0,
        max_length: int = 32,
        batch_size: int = 32,
        eval_batch_size: int | None = None,
        num_workers: int = 0,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__(
            recipe=tokenizer,
            batch_size=batch_size,
            eval_batch_size=eval_batch_size,
            num_workers=num_workers,
            shuffle=shuffle,
            drop_last=drop_last,
            seed=seed,
        )
        self.source = source
        self.shares = Shares(validation_share, test_share, seed=split_seed)
        self.max_length = max_length
        self.refuse_mistakes()

    def check(self) -> list[str]:
        """Return a sentence for each argument that cannot be meant; the run is refused with all of them."""
        found = self.shares.wrong()
        if self.max_length < 2:
            found.append(f"data.max_length={self.max_length} leaves no room for a letter; give at least 2.")
        if self.batch_size < 1:
            found.append(f"data.batch_size={self.batch_size} is no batch; give at least 1.")
        return found

    def corpus(self) -> dict[str, list[str]]:
        """Return the cleaned names of each split; the same name is never in two of them."""
        names = cleaned(read(Path(self.source)))
        keys = np.array([_number(name, self.shares.seed) for name in names], dtype=np.uint64)
        dealt = deal_random(keys, self.shares)
        splits = {
            split: [name for name, own in zip(names, dealt, strict=True) if own == place]
            for place, split in enumerate(("train", "validation", "test"))
        }
        if not splits["train"]:
            raise UserError(f"data.source={self.source} holds no names to train on; name a file with one a line.")
        return {split: names for split, names in splits.items() if names}

    def load(self) -> None:
        """Fit the tokenizer on the training names, and encode all of them."""
        splits = self.corpus()
        # The identity of the data: a resumed run is refused where it has changed.
        self.fingerprint = hashlib.sha256(json.dumps(splits).encode()).hexdigest()
        tokenizer = fitted(self.recipe, lambda: splits["train"], self.fingerprint)
        if tokenizer.eos_id is None:
            raise UserError("tokenizer has no end of text, which ends a name; choose tokenizer=bpe.")
        self._tokenizer = tokenizer
        for split, names in splits.items():
            whole = tokenizer.encode(names)
            ids = [one[: self.max_length - 1] for one in whole]  # the last place is the end's
            self.rows[split] = NameRows(ids, end=tokenizer.eos_id, fill=tokenizer.pad_id)
            self.summary[f"examples/{split}"] = len(names)
            self.summary[f"tokens/{split}"] = sum(len(one) + 1 for one in ids)
            self.summary[f"truncated/{split}"] = sum(len(one) >= self.max_length for one in whole) / len(names)
            # With these the run also logs val/bits_per_character; the end of a name counts as a character.
            self.summary[f"characters/{split}"] = sum(len(tokenizer.decode(one)) + 1 for one in ids)


class NameRows:
    """Encoded names, of which batches are made by number: what `LanguageData` asks of ``rows``."""

    def __init__(self, ids: list[np.ndarray], *, end: int, fill: int) -> None:
        self.ids, self.end, self.fill = ids, end, fill

    def __len__(self) -> int:
        """Count the names."""
        return len(self.ids)

    def __getitems__(self, keys: list[tuple[int, int]]) -> dict[str, Any]:
        """Return a batch: what is read, and at each place the letter that comes next.

        ``keys``: (epoch, number). A filler evens out the ranks of a training on several devices: it is read and not
        scored. Padding is not scored either.
        """
        _, numbers, fillers = rows_of(keys)
        chosen = [self.ids[number] for number in numbers]
        layout = Layout(np.array([len(ids) + 1 for ids in chosen]))
        target = layout.padded(np.concatenate([[*ids, self.end] for ids in chosen]), IGNORED)
        target[fillers] = IGNORED
        return {
            "input_ids": layout.padded(np.concatenate([[self.end, *ids] for ids in chosen]), self.fill),
            "target": target,
            "attention_mask": layout.attention_mask(),  # counts tokens without padding; the task hands it to no model
            "example_ids": np.where(fillers, -1 - numbers, numbers),
        }


def read(file: Path) -> list[str]:
    """Return the lines of ``file``.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"data.source={file} cannot be read ({error}); name a UTF-8 file with one name a line."
        ) from error


def cleaned(lines: list[str]) -> list[str]:
    """Return the names in ``lines``: no comments, no white space around or doubled, no name twice, in their order."""
    names = (" ".join(line.partition("#")[0].split()) for line in lines)
    return list(dict.fromkeys(name for name in names if name))


def _number(name: str, seed: int) -> int:
    """The number by which ``name`` is dealt to a split: of its letters alone, so that new names move no old one."""
    key = Key(seed)
    key.update(name)
    return key.value()
