"""The tables of operators in `expect`: what each takes, and the rules that they become."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field

from monitor.keys import types as keys
from monitor.keys.bad_value import BadValueError, kind, nearest, quoted
from monitor.keys.types import Table
from monitor.model.request import OPTIONAL, Operator, Rule
from monitor.secrets.secret import Secret

OPERATORS: tuple[Operator, ...] = get_args(Operator)


class LengthOperators(Table):
    """Conditions of a length; a plain number means `equals`."""

    equals: keys.Count | None = Field(default=None, description="The length itself.")
    less_than: keys.Count | None = Field(default=None, description="The length must be below this.")
    at_most: keys.Count | None = Field(default=None, description="The length must be no higher than this.")
    greater_than: keys.Count | None = Field(default=None, description="The length must be above this.")
    at_least: keys.Count | None = Field(default=None, description="The length must be no lower than this.")


def _length_table(value: object) -> object:
    if isinstance(value, dict):
        return _not_empty(value, "{ at_most = 100 }")
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadValueError(f"must be a whole number or a table of operators, not {quoted(value)}")
    return {"equals": value}


LengthRules = Annotated[
    LengthOperators, BeforeValidator(_length_table, json_schema_input_type=keys.Count | LengthOperators)
]


class BodyRules(Table):
    """Conditions of the answer's text."""

    contains: keys.Strings = Field(default=[], description="Text that the body must contain, or a list of such texts.")
    not_contains: keys.Strings = Field(default=[], description="Text that the body must not contain, or a list.")
    matches: keys.Patterns = Field(default=[], description="RE2 pattern that must be found in the body, or a list.")
    not_matches: keys.Patterns = Field(
        default=[], description="RE2 pattern that must not be found in the body, or a list."
    )
    length: LengthRules | None = Field(default=None, description="How many characters the body must have.")


class HeaderOperators(Table):
    """Conditions of a header's value; a plain string means `equals`."""

    equals: keys.Text | None = Field(default=None, description="The whole value.")
    not_equals: keys.Text | None = Field(default=None, description="A value that the header must not have.")
    contains: keys.Filled | None = Field(default=None, description="Text that the value must contain.")
    not_contains: keys.Filled | None = Field(default=None, description="Text that the value must not contain.")
    matches: keys.Pattern | None = Field(default=None, description="RE2 pattern that must be found in the value.")
    not_matches: keys.Pattern | None = Field(
        default=None, description="RE2 pattern that must not be found in the value."
    )
    exists: bool | None = Field(
        default=None, description="Whether the header must be there (true) or must not be (false)."
    )
    one_of: list[keys.Text] | None = Field(
        default=None, min_length=1, description="Values of which the header must have one."
    )
    optional: bool = Field(
        default=False, description="Whether the other operators hold only if the header is there (true)."
    )


class JsonOperators(Table):
    """Conditions of a value in the answer's JSON; a plain value means `equals`."""

    equals: keys.Json = Field(default=None, description="The value itself, of any type.")
    not_equals: keys.Json = Field(default=None, description="A value that it must not be.")
    less_than: keys.Number | None = Field(default=None, description="It must be a number below this.")
    at_most: keys.Number | None = Field(default=None, description="It must be a number no higher than this.")
    greater_than: keys.Number | None = Field(default=None, description="It must be a number above this.")
    at_least: keys.Number | None = Field(default=None, description="It must be a number no lower than this.")
    contains: keys.Json = Field(default=None, description="Text that a string must contain, or an element of an array.")
    not_contains: keys.Json = Field(default=None, description="Text or an element that must not be in it.")
    matches: keys.Pattern | None = Field(default=None, description="RE2 pattern that must be found in a string.")
    not_matches: keys.Pattern | None = Field(
        default=None, description="RE2 pattern that must not be found in a string."
    )
    exists: bool | None = Field(
        default=None, description="Whether the path must lead to something (true) or to nothing (false)."
    )
    one_of: list[keys.Json] | None = Field(default=None, min_length=1, description="Values of which it must be one.")
    length: LengthRules | None = Field(
        default=None, description="How long a text (in characters), an array or an object must be."
    )


def body_table(value: object) -> object:
    """The table of operators for the body, unless it is a text without its operator."""
    if isinstance(value, (str, list, Secret)):
        raise BadValueError(f"must be a table of operators, not {kind(value)}", 'write { contains = "…" }')
    return value


def _header_table(value: object) -> object:
    if isinstance(value, (str, Secret)):
        return {"equals": value}
    if not isinstance(value, dict):
        raise BadValueError(f"must be a string or a table of operators, not {kind(value)}")
    return _fit_to_be_optional(_not_empty(value))


def _fit_to_be_optional(value: dict[str, Any]) -> dict[str, Any]:
    if value.get("optional") is True and "exists" in value:
        raise BadValueError("`exists` and `optional` contradict each other", "keep one of them")
    if value.keys() == {"optional"}:
        raise BadValueError("`optional` expects nothing by itself", "add another operator, or leave the header out")
    return value


def _json_table(value: object) -> object:
    if not isinstance(value, dict):
        return {"equals": value}
    if value and not any(nearest(key, OPERATORS) for key in value):
        raise BadValueError("this table holds no operator", "to compare with an object, write { equals = { … } }")
    return _not_empty(value)


def _not_empty(value: dict[str, Any], example: str = '{ contains = "ok" }') -> dict[str, Any]:
    if not value:
        raise BadValueError("this table holds no operator", f"write for example {example}")
    return value


HeaderRules = Annotated[
    HeaderOperators, BeforeValidator(_header_table, json_schema_input_type=keys.Text | HeaderOperators)
]
JsonRules = Annotated[
    JsonOperators, BeforeValidator(_json_table, json_schema_input_type=keys.PlainJson | JsonOperators)
]


def body_rules(table: BodyRules) -> tuple[Rule, ...]:
    """One rule for each text of each operator, and for each bound of the length."""
    texts = tuple(
        Rule(operator, operand)
        for operator in OPERATORS
        if operator in table.model_fields_set and operator != "length"
        for operand in getattr(table, operator)
    )
    return texts + _length_rules(table.length)


def value_rules(table: HeaderOperators | JsonOperators | LengthOperators) -> tuple[Rule, ...]:
    """One rule for each operator that is given, and for each bound of a length."""
    plain = tuple(
        Rule(operator, getattr(table, operator))
        for operator in OPERATORS
        if operator in table.model_fields_set and operator not in ("length", "optional")
    )
    if isinstance(table, HeaderOperators):
        return (OPTIONAL, *plain) if table.optional else plain
    return plain + _length_rules(table.length) if isinstance(table, JsonOperators) else plain


def _length_rules(table: LengthOperators | None) -> tuple[Rule, ...]:
    return () if table is None else tuple(Rule("length", rule) for rule in value_rules(table))
