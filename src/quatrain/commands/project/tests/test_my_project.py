"""The names stay apart, the network does not look ahead, and a training through quatrain learns."""

from pathlib import Path

import pytest
import torch

import quatrain
from my_project.gru import GRU
from my_project.names import Names, cleaned
from quatrain.core.batches import IGNORED
from quatrain.tokenizers.trained import ByteLevelBPE

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def names() -> Names:
    data = Names(tokenizer=ByteLevelBPE(vocab_size=261), source=str(PROJECT / "data" / "names.txt"), batch_size=4)
    data.setup()
    return data


def test_cleaning_keeps_each_name_once() -> None:
    assert cleaned(["# a comment", "", "Oakley  # twice", " Oakley", "Upper   Oakley"]) == ["Oakley", "Upper Oakley"]


def test_no_name_is_in_two_splits_and_all_are_dealt(names: Names) -> None:
    splits = names.corpus()
    whole = [name for split in splits.values() for name in split]
    assert sorted(splits) == ["test", "train", "validation"]
    assert len(whole) == len(set(whole)) == sum(names.summary[f"examples/{split}"] for split in splits)


def test_the_target_is_the_next_letter_and_padding_is_not_scored(names: Names) -> None:
    batch = next(iter(names.train_dataloader()))
    for ids, target in zip(batch["input_ids"].tolist(), batch["target"].tolist(), strict=True):
        length = target.index(names.tokenizer.eos_id) + 1
        assert ids[0] == names.tokenizer.eos_id
        assert ids[1:length] == target[: length - 1]
        assert set(target[length:]) <= {IGNORED}


def test_a_name_that_is_too_long_is_counted_as_it_is_read(tmp_path: Path) -> None:
    """Ten names of ten letters, of which seven are read and the eighth token is the end."""
    file = tmp_path / "long.txt"
    file.write_text("\n".join(f"Oakhamton{number}" for number in range(10)), encoding="utf-8")
    data = Names(tokenizer=ByteLevelBPE(vocab_size=261), source=str(file), max_length=8)
    data.setup()
    for split in data.corpus():
        assert data.summary[f"truncated/{split}"] == 1.0
        assert data.summary[f"characters/{split}"] == data.summary[f"tokens/{split}"] == 8 * len(data.corpus()[split])


def test_the_network_does_not_look_ahead() -> None:
    """Another letter at place 5 changes what is said from there on, and nothing before."""
    model = GRU(hidden_size=16).build(tokenizer_size=261, special_ids={"pad": 1, "bos": 0, "eos": 2}, max_length=8)
    ids = torch.arange(8)[None]
    other = ids.clone()
    other[0, 5] = 99
    with torch.no_grad():
        before, after = model(ids).logits[0], model(other).logits[0]
    torch.testing.assert_close(before[:5], after[:5])
    assert not torch.allclose(before[5:], after[5:])


def test_two_steps_on_one_batch_lower_its_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiment as it stands, composed, checked, trained in a process of its own, and exported."""
    monkeypatch.chdir(PROJECT)  # conf/ names data/ from here, and the run finds src/ here
    monkeypatch.setenv("QUATRAIN_ALLOW", "my_project")
    run = quatrain.train(
        [
            "experiment=mine",
            "schedule=constant",
            "schedule.warmup=0",
            "trainer.max_steps=2",
            "trainer.overfit_batches=1",
            f"run.dir={tmp_path / 'run'}",
        ],
        config_dir="conf",
    )
    first, second = run.metrics()["train/loss"].dropna()
    assert second < first
    assert (run.path / "export" / "model.safetensors").is_file()
