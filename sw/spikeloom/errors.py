"""The one exception for what a user can put right, and sentences for wrong arguments."""

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


def check_type(name: str, value: object, *kinds: type) -> None:
    """Refuse an argument of a wrong type in one sentence.

    Args:
        name: what the argument is called, and where: "path of save_image(path, image)".
        value: the argument.
        kinds: any of these is taken.

    Raises:
        TypeError: `value` is of none of `kinds`.
    """
    if not isinstance(value, kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def check_choice(name: str, value: object, choices: Iterable[object]) -> None:
    """Refuse an argument that is none of a few.

    Raises:
        ValueError: `value` is none of `choices`.
    """
    choices = list(choices)
    if value not in choices:
        raise ValueError(f"{name} must be {' or '.join(map(repr, choices))}, not {value!r}")
