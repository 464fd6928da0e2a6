"""What a network may be elsewhere and not here: keys that ask for it are told so.

A capability that Spikeloom gains loses its line.
"""

from __future__ import annotations

import re

__all__ = ["missing_capability"]

# Words of keys, and what they ask for.
_MISSING = {
    "adaptive thresholds": "adaptive adaptation adapt alif adlif",
    "refractory period": "refractory refrac",
    "attention": "attention transformer heads",
    "learning on the chip": "stdp plasticity online",
}
_CAPABILITY = {word: name for name, words in _MISSING.items() for word in words.split()}


def missing_capability(key: str) -> str | None:
    """What an unknown `key` such as "recurrent_layers" asks for, if Spikeloom does not have it."""
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
    return next((_CAPABILITY[word] for word in words if word in _CAPABILITY), None)
