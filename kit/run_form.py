"""How flows and steps read in Prefect's interface: German titles in the form of a run, names that its timeline can draw."""

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def titled(function: Callable[..., Any], titles: Mapping[str, str]) -> None:
    """Put titles on the parameters of a flow; without them its form shows the names of the code.

    Prefect writes the parameter's name as title over everything but the extras of a field's JSON schema.

    Raises:
        KeyError: a parameter has no title.
    """
    signature = inspect.signature(function)
    parameters = [
        each.replace(annotation=Annotated[each.annotation, Field(json_schema_extra={"title": titles[each.name]})])
        for each in signature.parameters.values()
    ]
    setattr(function, "__signature__", signature.replace(parameters=parameters))  # noqa: B010 - functions have none by type


def drawable(name: str) -> str:
    """Letters that the timeline has: its font leaves out umlauts and ß, »Rckspielung prfen« is no German."""
    return name.translate(_LETTERS)
