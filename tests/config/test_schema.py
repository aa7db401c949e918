"""The JSON Schema accepts what loads, refuses what its grammar can tell, and documents every key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from monitor.config import schema
from monitor.config.models import Document
from monitor.keys.shape import LITERAL, Shape, shape_of

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
PAGES = [DOCS / f"{name}.md" for name in ("configuration", "tcp", "tls")]

BEYOND_A_SCHEMA = {  # they contradict themselves, or need a parser, a file or the environment
    "buckets", "credentials", "defaults_are_reported_once", "families", "limits", "listen", "tls_files", "bodies",
    "workers", "public", "public_groups", "history_postgresql", "other_protocols",
}  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def documents(folder: str) -> Iterator[Any]:
    for path in sorted((HERE / folder).glob("*.toml")):
        try:
            yield pytest.param(tomllib.loads(path.read_text("utf-8-sig")), id=path.stem)
        except ValueError:
            continue


def keys(shape: Shape) -> Iterator[str]:
    for key, inner in shape.keys.items():
        yield key
        yield from keys(inner)
    if shape.each is not None:
        yield from keys(shape.each)


@pytest.mark.parametrize("document", list(documents("good")))
def test_a_good_document_satisfies_the_schema(validator: jsonschema.Draft202012Validator, document: Any) -> None:
    assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.parametrize("document", [d for d in documents("bad") if d.id not in BEYOND_A_SCHEMA | {"empty"}])
def test_a_bad_document_does_not(validator: jsonschema.Draft202012Validator, document: Any) -> None:
    assert not validator.is_valid(document)


@pytest.mark.parametrize("key", ["interval", "url", "proxy", "group", "method", "max_body", "ip_version", "json"])
@pytest.mark.parametrize("secret", [{"env": "NAME"}, {"file": "path"}])
def test_a_secret_may_stand_for_any_string(
    validator: jsonschema.Draft202012Validator, key: str, secret: dict[str, str]
) -> None:
    assert validator.is_valid({"checks": [{"name": "a", "url": "http://a/", key: secret}]})


def test_an_unknown_operator_is_refused_and_a_known_one_is_not(validator: jsonschema.Draft202012Validator) -> None:
    def expecting(value: object) -> object:
        return {"checks": [{"name": "a", "url": "http://a/", "expect": {"json": {"$.a": value}}}]}

    assert not validator.is_valid(expecting({"less_then": 1}))
    for value in ({"less_than": 1}, 1, "a", True, [{"any": 1}], {"env": "NAME"}, {"equals": {"any": 1}}):
        assert validator.is_valid(expecting(value)), value


def test_no_secret_may_stand_for_a_name(validator: jsonschema.Draft202012Validator) -> None:
    assert not validator.is_valid({"checks": [{"name": {"env": "NAME"}, "url": "http://a/"}]})


def test_every_key_of_the_schema_has_a_description() -> None:
    made = schema()
    tables = {f"#/$defs/{name}": table for name, table in made["$defs"].items()}
    undescribed = [
        key
        for node in (made, *tables.values())
        for key, inner in node.get("properties", {}).items()
        if "description" not in inner and "description" not in tables.get(inner.get("$ref"), {})
    ]
    assert undescribed == []
    assert LITERAL not in str(made)
    assert "null" not in str(made)


def test_every_key_is_in_the_documentation() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert not [key for key in keys(shape_of(Document)) if f"`{key}`" not in text]


def test_every_example_of_the_documentation_satisfies_the_schema(validator: jsonschema.Draft202012Validator) -> None:
    blocks = [block for page in PAGES for block in page.read_text("utf-8").split("```toml\n")[1:]]
    assert blocks
    for block in blocks:
        text = block.partition("```")[0]
        assert [e.message for e in validator.iter_errors(tomllib.loads(text))] == [], text
