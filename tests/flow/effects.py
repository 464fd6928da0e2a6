"""The table of what shows the effect of each verb's options."""

from collections.abc import Callable
from typing import Any

Effect = Callable[[Any], None]
EFFECTS: dict[tuple[str, str], Effect] = {}
"""By verb and option: a function that shows the option's effect on a bench of `test_options`."""


def effect(*options: tuple[str, str]) -> Callable[[Effect], Effect]:
    """The decorated function shows the effect of options: `("verb", "--option")`."""

    def register(function: Effect) -> Effect:
        for option in options:
            assert option not in EFFECTS
            EFFECTS[option] = function
        return function

    return register
