"""Whether a server answers, within seconds whatever stands in between."""

import threading
from typing import Any, NamedTuple

PATIENCE = 5.0
"""Seconds in which a server answers, or counts as absent."""

LATE = f"does not answer within {PATIENCE:.0f} s"


class Answer(NamedTuple):
    """What came of asking: an HTTP status and the answer's text, or ``why`` there is none, as half a sentence."""

    status: int = 0
    text: str = ""
    why: str | None = None


def ask(method: str, url: str, **request: Any) -> Answer:
    """Ask the server at ``url``, with further arguments of `requests.request`; return after `PATIENCE` at the latest.

    Looking a name up knows no time-out of its own, so that happens in a thread.
    """
    found = [Answer(why=LATE)]

    def work() -> None:
        import requests

        try:
            said = requests.request(method, url, timeout=PATIENCE, **request)
            found.append(Answer(said.status_code, said.text))
        except requests.Timeout:
            pass
        except (requests.RequestException, OSError, ValueError) as error:
            found.append(Answer(why=f"cannot be reached ({type(error).__name__})"))

    thread = threading.Thread(target=work, name="probe", daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return found[-1]
