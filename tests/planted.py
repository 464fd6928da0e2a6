"""Breaks a method by hand: one place of its source is replaced by another."""

import inspect
import textwrap


def plant(monkeypatch, method, old, new):
    """Replace ``old``, which occurs once in the source of ``method``, by ``new``."""
    source = textwrap.dedent(inspect.getsource(method))
    assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
    namespace = {}
    exec(source.replace(old, new), method.__globals__, namespace)
    owner = method.__globals__
    *path, name = method.__qualname__.split(".")
    if path:
        (owner_name,) = path
        monkeypatch.setattr(owner[owner_name], name, namespace[name])
    else:
        monkeypatch.setitem(owner, name, namespace[name])
