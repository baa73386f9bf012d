"""What follows from a style alone: computed once per style, and styles live as long as the process."""

from collections.abc import Callable
from typing import Any

_SHARED = "_drehkreuz_shared"
"""Attribute of a style."""


class Shared:
    """What is kept of a style. None, or for `lengths` and `pango` False: not computed yet."""

    __slots__ = ("bare", "borders", "collapses", "lengths", "pango", "strut")

    def __init__(self) -> None:
        self.lengths: dict[str, Any] | bool | None = False
        """Used lengths; None where one hangs on the box around."""
        self.borders: dict[str, float] = {}
        self.collapses = False
        self.pango: tuple[Any, Any, Any] | bool | None = False
        """Context, language, font; None where the style asks for more."""
        self.strut: tuple[float, float] | None = None
        self.bare: bool | None = None


def shared(style: Any) -> Shared:
    """What is known of the style."""
    found: Shared | None = style.__dict__.get(_SHARED)
    if found is None:
        found = style.__dict__[_SHARED] = Shared()
    return found


class Once:
    """`functools.cached_property` without its lock, which Python 3.11 takes at each first reading."""

    def __init__(self, compute: Callable[[Any], Any], name: str) -> None:
        self._compute, self._name = compute, name

    def __get__(self, owner: Any, _kind: Any = None) -> Any:
        value = owner.__dict__[self._name] = self._compute(owner)
        return value
