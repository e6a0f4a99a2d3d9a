"""The rows of the benchmark, in the order of the table."""

from bench.finetuning import FineTuningRow
from bench.goals import Goal
from bench.job import Job
from bench.language import LanguageRow
from bench.row import Row
from bench.scripts import ScriptRow, ddp, inference, preparing, second_start, startup, sweeps

ROBERTA: dict[str, str | int | float] = {
    "model_type": "roberta",
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 1024,
}
GPT2: dict[str, str | int | float] = {
    "model_type": "gpt2",
    "n_embd": 256,
    "n_layer": 4,
    "n_head": 4,
    "resid_pdrop": 0.1,
    "embd_pdrop": 0.1,
    "attn_pdrop": 0.1,
}
GPT2_124M = GPT2 | {
    "n_embd": 768,
    "n_layer": 12,
    "n_head": 12,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
}
BERT_BASE: dict[str, str | int | float] = {
    "model_type": "bert",
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}


def masked(defaults: float, best: float) -> tuple[Goal, ...]:
    """Goals of a masked language model."""
    return (
        Goal("tokens_per_second", "defaults", defaults),
        Goal("tokens_per_second", "best", best),
        Goal("loss", "defaults"),
        Goal("loss", "best"),
    )


def on_gpu(length: int, batch: int) -> LanguageRow:
    """BERT base as a masked language model."""
    return LanguageRow(
        key=f"bert_base_{length}",
        title=f"BERT base at {length} tokens, bfloat16, on a GPU",
        setting=f"{batch} rows of {length} tokens a batch, 60 steps, BERT's uncased vocabulary",
        goals=(
            Goal("tokens_per_second", "best", 2),
            Goal("tokens_per_second", "best, compiled", 2),
            Goal("loss", "best"),
        ),
        minutes=6,
        gpu=True,
        job=Job(
            kind="mlm",
            config=BERT_BASE,
            tokenizer="bert",
            length=length,
            batch=batch,
            steps=60,
            untimed=10,
        ),
    )


ROWS: tuple[Row, ...] = (
    LanguageRow(
        key="mlm",
        title="Masked LM, 4 layers, hidden 256, 128 tokens, vocabulary 8192",
        setting="RoBERTa from nothing; 32 blocks of 128 tokens a batch, 23 steps, of which 20 are timed",
        goals=masked(4, 2.2),
        minutes=6,
        job=Job(
            kind="mlm",
            config=ROBERTA,
            tokenizer="bpe",
            batch=32,
            steps=23,
        ),
    ),
    LanguageRow(
        key="mlm_50k",
        title="The same with RoBERTa's vocabulary of 50,265",
        setting="32 blocks of 128 tokens a batch, 13 steps, of which 10 are timed",
        goals=masked(7, 4),
        minutes=8,
        job=Job(
            kind="mlm",
            config=ROBERTA,
            tokenizer="roberta",
            batch=32,
            steps=13,
        ),
    ),
    LanguageRow(
        key="lines",
        title="Masked LM on single verse lines, about 10 tokens each",
        setting="the same model and vocabulary 8192; 128 lines a batch, 28 steps, of which 25 are timed; bf16 is the"
        " Trainer's best without batches grouped by length",
        goals=(
            Goal("tokens_per_second", "defaults", 5),
            Goal("tokens_per_second", "bf16", 3),
            Goal("tokens_per_second", "best", 1),
            Goal("loss", "defaults"),
            Goal("loss", "bf16"),
            Goal("loss", "best"),
        ),
        minutes=4,
        job=Job(
            kind="mlm",
            config=ROBERTA,
            tokenizer="bpe",
            lines=True,
            length=32,
            batch=128,
            steps=28,
        ),
    ),
    FineTuningRow(
        key="mrpc",
        title="MRPC with MiniLM, 3 epochs, whole run with validation",
        setting="all-MiniLM-L6-v2; 32 pairs a batch, learning rate 5e-5, scores of the last epoch; nothing is prepared"
        " beforehand; the Trainer's defaults run once",
        goals=(
            Goal("seconds", "defaults", 5),
            Goal("seconds", "best", 1.2),
            Goal("f1", "defaults"),
            Goal("f1", "best"),
        ),
        minutes=16,
        rounds=1,
    ),
    LanguageRow(
        key="clm",
        title="GPT-2 of 4 layers, hidden 256, windows of 128, GPT-2's vocabulary",
        setting="16 windows of 128 tokens a batch, 43 steps, of which 40 are timed, dropout 0.1",
        goals=(
            Goal("tokens_per_second", "defaults", 1.9),
            Goal("tokens_per_second", "best", 1.25),
            Goal("tokens_per_second", "nanoGPT", 1.8),
            Goal("peak_mb", "defaults", 2),
            Goal("loss", "defaults"),
            Goal("loss", "best"),
            Goal("loss", "nanoGPT"),
        ),
        minutes=16,
        job=Job(
            kind="clm",
            config=GPT2,
            tokenizer="gpt2",
            batch=16,
            steps=43,
        ),
    ),
    ScriptRow(
        key="preparing",
        title="Preparing 1 GB of text into GPT-2 windows",
        setting="embedded verse, of which the slow ways get 60 MB; memory is that of all processes above their imports",
        goals=(
            Goal("million_tokens_per_second", "datasets", 10),
            Goal("peak_mb", limit=300),
            Goal("peak_mb", "ours, 0.1 GB", 1 / 1.2),
            Goal("identical", limit=1),
        ),
        minutes=30,
        rounds=1,
        script="preparing.py",
        reads=preparing,
        words=("--tokenizer", "DATA/gpt2_bpe", "--json"),
        sizes=(
            ("ours", ("--megabytes", "1000")),
            ("ours, 0.1 GB", ("--megabytes", "100", "--ways", "ours")),
            ("ours, 2 GB", ("--megabytes", "2000", "--ways", "ours")),
        ),
        quick_words=("--megabytes", "5", "--peer-megabytes", "5"),
        needs=("gpt2_bpe",),
    ),
    ScriptRow(
        key="second_start",
        title="Second start on prepared data, until the first batch",
        setting="100 MB of embedded verse; seconds beyond imports",
        goals=(Goal("seconds", limit=1),),
        minutes=3,
        script="preparing.py",
        reads=second_start,
        words=("--tokenizer", "DATA/gpt2_bpe", "--json", "--ways", "ours,again"),
        quick_words=("--megabytes", "5", "--peer-megabytes", "5"),
        needs=("gpt2_bpe",),
    ),
    ScriptRow(
        key="inference",
        title="Labels and vectors for MRPC's 1,725 test pairs with MiniLM",
        setting="batches of 32 rows, from texts in memory; ours beside transformers' pipelines as they come, which are"
        " in float32, and in bfloat16",
        goals=(
            Goal("predicted_per_second", "pipeline", 2),
            Goal("predicted_per_second_float32", "pipeline", 1),
            Goal("embedded_per_second", "pipeline", 2),
            Goal("embedded_per_second_float32", "pipeline", 1),
        ),
        minutes=6,
        script="inference.py",
        reads=inference,
        words=("--data", "DATA", "--weights", "MINILM", "--json"),
        quick_words=("--rows", "64"),
        needs=("mrpc/test.jsonl",),
    ),
    ScriptRow(
        key="ddp",
        title="DDP on 2 CPU processes with one thread each against 1 process with one thread",
        setting="a masked LM of 4 layers, 16 blocks of 128 tokens for each process",
        goals=(Goal("times", limit=1.7),),
        minutes=4,
        script="ddp.py",
        reads=ddp,
        quick_words=("--steps", "4"),
    ),
    ScriptRow(
        key="startup",
        title="Start-up",
        setting="medians of the script's rounds; the bare script imports torch, Lightning and the model class",
        goals=(
            Goal("help_seconds", limit=0.5),
            Goal("config_seconds", limit=0.4),
            Goal("error_seconds", limit=1),
            Goal("first_step", limit=1.15),
        ),
        minutes=3,
        rounds=5,
        script="startup.py",
        reads=startup,
    ),
    ScriptRow(
        key="sweeps",
        title="Sweeps",
        setting="8 jobs of 600 steps; measured only where it is named (docs/sweeps.md)",
        goals=(Goal("overhead_seconds", limit=0.3), Goal("times", limit=1.7)),
        minutes=6,
        rounds=1,
        by_default=False,
        script="sweeps.py",
        reads=sweeps,
        quick_words=("--jobs", "2", "--steps", "20"),
    ),
    LanguageRow(
        key="gpt2_124m",
        title="GPT-2 124M at 1024 tokens, bfloat16, on a GPU",
        setting="32 windows of 1024 tokens a batch, 60 steps, of which 50 are timed, no dropout; nanoGPT with its own"
        " padded vocabulary of 50,304",
        goals=(
            Goal("tokens_per_second", "nanoGPT", 1),
            Goal("gpu_peak_mb", "nanoGPT", 1 / 0.6),
            Goal("mfu", limit=0.5),
            Goal("loss", "nanoGPT"),
        ),
        minutes=8,
        gpu=True,
        job=Job(
            kind="clm",
            config=GPT2_124M,
            tokenizer="gpt2",
            length=1024,
            batch=32,
            steps=60,
            untimed=10,
        ),
    ),
    on_gpu(128, 256),
    on_gpu(512, 64),
)
