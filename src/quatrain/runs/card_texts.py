"""What a model card tells beyond numbers: what a model of a task is for, where it fails, how it is loaded."""

from collections.abc import Sequence

LOADING = {
    "fill-mask": ("AutoModelForMaskedLM", "pipe({masked})"),
    "text-classification": ("AutoModelForSequenceClassification", "{rows}"),
    "text-generation": ("AutoModelForCausalLM", 'pipe("...", max_new_tokens=40)'),
}
"""For each pipeline the class that loads the model and a call."""

MEANT_FOR = {
    "fill-mask": "It guesses hidden tokens of a text from those around them; that is of use as a start for training on"
    " a task, and to see what a model has learned of its data.",
    "text-classification": "It gives each row one of its labels, or a score, with a probability by softmax. The rows"
    " are to be like those that it was trained on: {texts} in a row, of such a length, of such a kind.",
    "text-generation": "It goes on with a text in the manner of its data; that is of use for play, for teaching, and as"
    " a start for training on a task.",
}

LIMITS = {
    "fill-mask": "Its guesses are what was frequent in its data, prejudices included, and no statement of fact.",
    "text-classification": "A probability is not a measure of being right: it was not calibrated, and on text of"
    " another kind it can be high and wrong. Let nobody's fate depend on a label that no person has looked at.",
    "text-generation": "What it writes sounds like its data and is true by accident alone. It can repeat its data word"
    " for word, offend, and go on without an end. It was not trained to follow instructions or to refuse any.",
}

ALWAYS = (
    "The scores below are those on held-out text of the same source; on any other text expect worse, and measure it"
    " before you rely on it. Nobody has examined the model for bias."
)
FROM_NOTHING = "It knows nothing but its training data, for it began from random weights."
FROM_WEIGHTS = "What its base model has learned, good and bad, is in it too."


ONE_TEXT, TWO_TEXTS = 'pipe("...")', 'pipe({"text": "...", "text_pair": "..."})'
ROWS = {
    1: ("one text", ONE_TEXT),
    2: ("two texts", TWO_TEXTS),
    None: ("as many texts", f"{ONE_TEXT}  # of pairs of texts: {TWO_TEXTS}"),
}
"""What a row of a classifier holds, in words and as a call, by how many texts that are; None where it is not known."""


def uses(task: str, *, from_weights: bool, texts: int | None = None) -> str:
    """The section on what the model is for and what not; ``task`` is a pipeline of `LOADING`."""
    origin = FROM_WEIGHTS if from_weights else FROM_NOTHING
    purpose = MEANT_FOR[task].format(texts=ROWS[texts][0])
    return f"## What it is for\n\n{purpose}\n\n## Its limits\n\n{LIMITS[task]} {origin} {ALWAYS}\n"


def loading(task: str, mask_token: str, texts: int | None = None, module: str | None = None) -> str:
    """Lines of Python that load the folder with transformers.

    ``texts``: of a classifier, how many a row holds. ``module``: of an architecture of one's own, where it is written.
    """
    loader, call = LOADING[task]
    return "\n".join(
        (
            f"from transformers import AutoTokenizer, {loader}, pipeline",
            *([f"import {module}  # the model's own code"] if module else []),
            "",
            'folder = "."  # where this file lies',
            f"model = {loader}.from_pretrained(folder)",
            f'pipe = pipeline("{task}", model=model, tokenizer=AutoTokenizer.from_pretrained(folder))',
            call.replace("{rows}", ROWS[texts][1]).replace("{masked}", repr(f"... {mask_token} ...")),
        )
    )


def loading_onnx(inputs: Sequence[str]) -> str:
    """Lines of Python that load the folder with ONNX Runtime; ``inputs`` are the model's."""
    return "\n".join(
        (
            "import onnxruntime",
            "from transformers import AutoTokenizer",
            "",
            'folder = "."  # where this file lies',
            "tokenizer = AutoTokenizer.from_pretrained(folder)",
            'session = onnxruntime.InferenceSession(f"{folder}/model.onnx")',
            'rows = tokenizer(["..."], padding=True, return_tensors="np")',
            f"inputs = {{name: rows[name] for name in {list(inputs)}}}",
            '(logits,) = session.run(["logits"], inputs)',
        )
    )
