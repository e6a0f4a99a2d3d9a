"""The one error that a user sees."""

from collections.abc import Iterable

from quatrain.core.secrets import redact_text
from quatrain.core.terminal import one_line


class UserError(Exception):
    """Something that the user can mend, told in whole sentences and shown without a traceback.

    ``sentences`` holds one sentence for each thing that is wrong; each names the key (or the file and line), the value
    that was found, what is allowed and what to do. A sentence may quote anything: secrets in it are hidden, and what
    would command a terminal is escaped. The error can be pickled, so that it crosses processes.
    """

    def __init__(self, sentences: str | Iterable[str]) -> None:
        told = [sentences] if isinstance(sentences, str) else sentences
        self.sentences = [one_line(redact_text(sentence)) for sentence in told]
        super().__init__("\n".join(self.sentences))

    def __reduce__(self) -> tuple[type["UserError"], tuple[list[str]]]:
        return type(self), (self.sentences,)


class NotNow(UserError):  # noqa: N818 - a kind of UserError
    """A `UserError` whose cause lies outside of the input: no network, no disk space. Trying again may help."""
