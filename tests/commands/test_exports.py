"""An export loads and works with transformers alone."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import SMALL

CALLS = {
    "quick_sonnets": ("fill-mask", "pipe('the <mask> sings')[0]['score'] > 0"),
    "quick_mrpc": (
        "text-classification",
        "pipe({'text': 'a', 'text_pair': 'b'})['label'] in ('equivalent', 'not_equivalent')",
    ),
    "quick_windows": (
        "text-generation",
        "len(pipe('the', max_new_tokens=4, do_sample=False)[0]['generated_text']) > 3"
        " and pipe.tokenizer.decode(pipe.tokenizer('the')['input_ids']) == 'the'",
    ),
}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_a_pipeline_loads_it_where_quatrain_cannot_be_imported(
    name: str, run_here: Callable[..., Any], tmp_path: Path
) -> None:
    run, code = run_here(f"experiment={name}", *SMALL, "tokenizer.vocab_size=400")
    assert code == 0, run.log.read_text()
    task, call = CALLS[name]
    script = (
        "import sys, warnings; warnings.simplefilter('ignore'); sys.modules['quatrain'] = None\n"
        "from transformers import pipeline\n"
        f"pipe = pipeline({task!r}, {str(run.export)!r})\n"
        f"assert {call}"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, cwd=tmp_path)


def test_a_run_on_packed_batches_ends_with_an_export(run_here: Callable[..., Any]) -> None:
    """Its logits are compared on padded ones, which the exported model takes alone."""
    run, code = run_here("experiment=quick_sonnets", *SMALL, "tokenizer.vocab_size=400", "speed.packing=true")
    assert code == 0, run.log.read_text()
    assert (run.export / "model.safetensors").exists()
