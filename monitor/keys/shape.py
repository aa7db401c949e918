"""The shape of the document, read off the models: which positions are tables, and which keys they know."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Path = tuple[str | int, ...]

LITERAL = "x-literal"
"""Marks a field whose value cannot be `{ env }` or `{ file }`; taken out of the schema before anyone sees it."""


@dataclass(frozen=True, eq=False)
class Shape:
    """One position of the document.

    `keys` are a table's known keys; `each` is what stands behind every key of a table whose keys are the user's, or
    in every place of an array of tables; `value` tells that a plain value may stand here, so also `{ env }`.
    """

    keys: Mapping[str, Shape] = field(default_factory=dict)
    each: Shape | None = None
    value: bool = False

    def below(self, key: str | int) -> Shape:
        """The shape behind a key."""
        return self.each or self.keys.get(str(key), VALUE)

    def at(self, path: Path) -> Shape:
        """The shape at the end of a path."""
        return functools.reduce(Shape.below, path, self)


VALUE = Shape(value=True)


@functools.cache
def shape_of(model: type[BaseModel]) -> Shape:
    """The shape of a table that this model describes."""
    return Shape({f.alias or name: _shape_of_field(f) for name, f in model.model_fields.items()})


def _shape_of_field(field: FieldInfo) -> Shape:
    if isinstance(field.json_schema_extra, dict) and LITERAL in field.json_schema_extra:
        return Shape()
    return _shape(field.annotation)


def _shape(annotation: Any, value: bool = False) -> Shape:
    """`value`: what was annotated with a reader of its own takes a plain value too."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shape(arguments[0], value=True)
    if origin is dict:
        return Shape(each=_shape(arguments[1]))
    if origin is list and isinstance(arguments[0], type) and issubclass(arguments[0], BaseModel):
        return Shape(each=shape_of(arguments[0]))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Shape(shape_of(annotation).keys, value=value)
    others = [argument for argument in arguments if argument is not type(None)]
    return _shape(others[0], value) if len(others) < len(arguments) and len(others) == 1 else VALUE
