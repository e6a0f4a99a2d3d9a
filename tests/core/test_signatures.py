"""What a class takes is read from its source, as Python itself would tell it, and without importing it."""

import inspect
import subprocess
import sys

import pytest

from quatrain.core.signatures import NO_DEFAULT, model_config_signature, model_types, real_name, signature


@pytest.mark.parametrize(
    "target",
    [
        "pytorch_lightning.Trainer",
        "torch.optim.AdamW",
        "torch.optim.SGD",
        "pytorch_lightning.callbacks.EarlyStopping",
        "pytorch_lightning.callbacks.LearningRateMonitor",
        "quatrain.data.windows.Windows",
        "quatrain.data.masked_text.MaskedText",
        "quatrain.data.pairs.SentencePairs",
        "quatrain.models.recipe.LanguageModel",
        "quatrain.tokenizers.trained.ByteLevelBPE",
        "quatrain.training.schedules.Cosine",
    ],
)
def test_the_source_tells_what_inspect_tells(target: str) -> None:
    module, _, name = target.rpartition(".")
    found = getattr(__import__(module, fromlist=[name]), name)
    real = {key: value for key, value in inspect.signature(found.__init__).parameters.items() if key != "self"}
    read = signature(target)
    assert read is not None
    assert list(read.arguments) == list(real)
    for key, argument in read.arguments.items():
        assert argument.required == (real[key].default is inspect.Parameter.empty)
        if argument.default is not NO_DEFAULT:
            assert argument.default == real[key].default


def test_model_configs_are_read_too() -> None:
    from transformers import GPT2Config, RobertaConfig

    for model_type, config in (("roberta", RobertaConfig()), ("gpt2", GPT2Config())):
        read = model_config_signature(model_type)
        assert read is not None
        assert len(read.arguments) > 10
        for name, argument in read.arguments.items():
            assert argument.default == getattr(config, name)
    assert model_config_signature("robberta") is None
    assert "roberta" in model_types()


def test_a_class_that_is_not_there_does_not_exist() -> None:
    assert real_name("torch.optim.AdamW") == "torch.optim.adamw.AdamW"
    assert real_name("quatrain.runs.directory.Path") == "pathlib.Path"
    assert real_name("torch.optim.AdamWW") is None
    assert real_name("no_such_package.Thing") is None


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from quatrain.core.signatures import signature;"
        "assert signature('pytorch_lightning.Trainer') and signature('torch.optim.AdamW');"
        "assert not {'torch', 'pytorch_lightning', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
