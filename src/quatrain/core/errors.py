"""The one error that a user sees."""

from collections.abc import Iterable


class UserError(Exception):
    """Something that the user can mend, told in whole sentences and shown without a traceback.

    ``sentences`` holds one sentence for each thing that is wrong; each names the key (or the file and line), the value
    that was found, what is allowed and what to do. The error can be pickled, so that it crosses processes.
    """

    def __init__(self, sentences: str | Iterable[str]) -> None:
        self.sentences = [sentences] if isinstance(sentences, str) else list(sentences)
        super().__init__("\n".join(self.sentences))

    def __reduce__(self) -> tuple[type["UserError"], tuple[list[str]]]:
        return type(self), (self.sentences,)


class NotNow(UserError):  # noqa: N818 - a kind of UserError
    """A `UserError` whose cause lies outside of the input: no network, no disk space. Trying again may help."""
