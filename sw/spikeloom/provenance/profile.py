"""What a network of another framework was taken to mean, and how each part of that is known."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["ImportedFrom", "Origin", "ProfileEntry"]

Origin = Literal["given", "from the file", "assumed"]
"""Given by the user, read in the file or the module, or taken from what the framework does."""


class ProfileEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that a file may leave open.

    Attributes:
        name: which.
        value: what was taken.
        origin: how it is known.
        why: where an assumption comes from, or what it was read from; "" if that is plain.
    """

    name: str
    value: str
    origin: Origin
    why: str = ""


class ImportedFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an imported network comes from.

    Attributes:
        format: "nir", or the framework of a live module.
        file: name of the file, without folders; "" for a module.
        sha256: of the file's bytes; "" for a module.
        framework: whose habits were taken.
        entries: the profile.
        notes: what was mended or changed on the way in, each in one sentence.
    """

    format: str
    file: str
    sha256: str
    framework: str
    entries: tuple[ProfileEntry, ...]
    notes: tuple[str, ...] = ()
