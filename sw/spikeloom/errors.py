"""The one exception for what a user can put right."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake the user can correct: one sentence that says what, where, and how to fix it.

    The command line prints the sentence on stderr and exits with code 2, without a traceback.
    """


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt `word`: ", did you mean 'x'?" of the nearest known one, or ""."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f", did you mean {near[0]!r}?" if near else ""
