"""How the pages' words for places are read, and which of their commands cannot be run here, each with the reason."""

import re

TARGETS = {
    "evaluate": "paraphrases",
    "predict": "paraphrases",
    "generate": "outputs/windows",
    "fill": "outputs/sonnets",
    "embed": "outputs/sonnets",
    "tokenize": "outputs/sonnets",
}
"""What TARGET is to a command."""

PLACES = (
    (r"cat lines.txt \| quatrain predict TARGET", "cat lines.txt | quatrain predict data/stars"),
    (
        r"experiment=quick_windows model.weights=RUN (.*)=RUN",
        r"experiment=quick_windows model.weights=outputs/windows \1=outputs/windows",
    ),
    (r"experiment=mine model.weights=RUN", "experiment=mine model.weights=$(ls -d outputs/mine*/* | head -1)"),
    (r"\b(weights|source)=(?:DIR|FOLDER)\b", r"\1=data/bert"),
    (r"\bDATA/", "data/"),
    (r"\bMINILM\b", "data/bert"),
    (r"\bFOLDER --source reviews", "data/stars --source reviews"),
    (r"\bFILE\b", "text.txt"),
    (r"outputs/sweeps/ONE OTHER RUN\b", "outputs/sweeps/NAME outputs/windows"),
    (r"quatrain resume RUN$", "quatrain resume stopped"),
    (r"\bRUN\b", "outputs/sonnets"),
    (r"\bRUN\|SWEEP\b", "outputs/sonnets"),
    (r"\bSWEEP\b", "outputs/sweeps/NAME"),
    (r"\bOVERRIDES\b", "experiment=quick_windows"),
    (r"400_000\b", "400"),
)
"""Words of a page, and what they are in the workshop."""

PYTHON = (
    ('"trainer.max_steps=50"', '"trainer.max_steps=2", "data.verse_size=60"'),
    ("max_steps=20,", "max_steps=2,"),
    ('source="verse",', 'source="verse", verse_size=60,'),
    ("outputs/quick_mrpc/...", "paraphrases"),
    ("outputs/mine", "outputs/sonnets"),
    ("outputs/pictured", "outputs/sonnets"),
)
"""What is put in place of what in a page's Python."""

PARTS = "shows parts of files"

CANNOT = {
    r"^make ": "makes an environment, or measures for long; what it runs is tested by its own target",
    r"^pip install|^source ": "installs packages",
    r"^rsync ": "copies from another machine",
    r"submitit_slurm": "needs Slurm: make cluster",
    r"hydra/launcher=ray": "needs a cluster of Ray: make ray",
    r"hub:": "needs the hub",
    r"^wandb |^quatrain sync( RUN.*)?$": "needs W&B's server; tests/tracking has one",
    r"^tensorboard |mlflow ui|=http://server": "starts or needs a server",
    r"\| jq ": "needs jq",
    r"^AutoConfig.register|^class Characters|tokenizer=characters": PARTS,
    r"seq 1000000": "a million rows: 206 s",
    r"^python (benchmarks|tests)/": "measures for minutes; has a target of its own",
}
"""Commands that are not run, by a pattern, and why."""

PROJECT = "places"
"""What a page calls the project that `quatrain init` made; commands that allow its package run in it."""

ENDS_WITH = {r"^quatrain train data.batch_sise|explain loger|explain dropout": 2}
"""Exit codes of commands that are to be refused."""


def placed(command: str) -> str:
    """Return ``command`` with the workshop's places for the words of the page."""
    for pattern, place in PLACES:
        command = re.sub(pattern, place, command)
    for verb, target in TARGETS.items():
        command = re.sub(rf"\bquatrain {verb} TARGET\b", f"quatrain {verb} {target}", command)
    return command


def placed_python(text: str) -> str:
    """Return a page's Python with few steps, and with the workshop's places."""
    for before, after in PYTHON:
        text = text.replace(before, after)
    return text


def why_not(command: str) -> str | None:
    """Return why ``command`` is not run; None where it is."""
    return next((why for pattern, why in CANNOT.items() if re.search(pattern, command)), None)


def exit_code(command: str) -> int:
    """Return the exit code that ``command`` is to have."""
    return next((code for pattern, code in ENDS_WITH.items() if re.search(pattern, command)), 0)
