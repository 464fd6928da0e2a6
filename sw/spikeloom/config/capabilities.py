"""What a network may be elsewhere and not here: keys that ask for it are told so.

A capability that Spikeloom gains loses its line.
"""

from __future__ import annotations

import re

__all__ = ["graph_capability", "missing_capability"]

# Words of keys, and what they ask for.
_MISSING = {
    "adaptive thresholds": "adaptive adaptation adapt alif adlif",
    "refractory period": "refractory refrac",
    "attention": "attention transformer heads",
    "learning on the chip": "stdp plasticity online",
}
# The same of what a graph has, and a chain has not.
_OF_GRAPHS = {
    "convolution": "conv convolution convolutional kernel stride padding dilation channels filters",
    "pooling": "pool maxpool avgpool",
    "recurrent connections": "recurrent recurrence rnn feedback lateral",
    "residual branches": "residual resnet skip shortcut",
    "synaptic currents": "cuba synaptic current currents syn alpha",
    "delays": "delay delays",
    "batch normalisation": "batchnorm bn norm normalisation normalization",
}
_GRAPH = {word: name for name, words in _OF_GRAPHS.items() for word in words.split()}
_CAPABILITY = {word: name for name, words in _MISSING.items() for word in words.split()}


def missing_capability(key: str) -> str | None:
    """What an unknown `key` such as "recurrent_layers" asks for, if Spikeloom does not have it."""
    return next((_CAPABILITY[word] for word in _words(key) if word in _CAPABILITY), None)


def graph_capability(key: str) -> str | None:
    """What an unknown `key` asks for, if a graph has it."""
    return next((_GRAPH[word] for word in _words(key) if word in _GRAPH), None)


def _words(key: str) -> list[str]:
    return re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower())
