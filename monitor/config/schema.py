"""The JSON Schema of checks.toml, made from the models, for editors that complete and check TOML."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from monitor.config.models import Document
from monitor.keys.shape import LITERAL

_SECRET = {
    "type": "object",
    "description": "A value from the environment or from a file; it is shown nowhere.",
    "oneOf": [
        {
            "required": ["env"],
            "properties": {"env": {"type": "string", "description": "Name of an environment variable."}},
        },
        {
            "required": ["file"],
            "properties": {"file": {"type": "string", "description": "Path, from this file's directory."}},
        },
    ],
    "minProperties": 1,
    "maxProperties": 1,
}

_URL_SOMEWHERE = {
    "if": {"required": ["defaults"], "properties": {"defaults": {"required": ["url"]}}},
    "else": {"properties": {"checks": {"items": {"required": ["url"]}}}},
}


class _Generator(GenerateJsonSchema):
    """Writes the defaults of plain keys only; those of tables and arrays are in their keys or their descriptions."""

    def encode_default(self, dft: Any) -> Any:  # the name is pydantic's
        return dft if isinstance(dft, (str, int, float)) else None


def schema() -> dict[str, Any]:
    """The schema, of draft 2020-12, as a value for `json.dumps`."""
    made: dict[str, Any] = _tidied(Document.model_json_schema(schema_generator=_Generator))
    made["$defs"]["CheckTable"]["required"] = ["name"]
    made["$defs"]["Secret"] = _SECRET
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "checks.toml", **_URL_SOMEWHERE, **made}


def _tidied(node: Any) -> Any:
    """Without what only pydantic needs, and with a secret allowed wherever a string is."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: value for key, value in node.items() if not _noise(key, value)}
    if isinstance(node.get("anyOf"), list):
        node = _without_null(node)
    if "patternProperties" in node:
        node["additionalProperties"] = False
    literal = node.pop(LITERAL, False)
    tidy = {key: value if key in ("propertyNames", "enum") else _tidied(value) for key, value in node.items()}
    if "anyOf" in tidy:
        tidy["anyOf"] = _flat(tidy["anyOf"])
    return tidy if literal or not _holds_text(tidy) else _or_secret(tidy)


def _flat(choices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choices among which none is only a choice itself, each once."""
    flat: list[dict[str, Any]] = []
    for choice in choices:
        inner = choice["anyOf"] if choice.keys() == {"anyOf"} else [choice]
        flat += [item for item in inner if item not in flat]
    return flat


def _noise(key: str, value: Any) -> bool:
    """Titles only repeat the key, and TOML has no null."""
    return (key == "title" and isinstance(value, str)) or (key == "default" and value is None)


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    kept = [item for item in node["anyOf"] if item != {"type": "null"}]
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {**kept[0], **rest} if len(kept) == 1 else {**rest, "anyOf": kept}


def _holds_text(node: dict[str, Any]) -> bool:
    words = node.get("enum")
    return node.get("type") == "string" or (isinstance(words, list) and any(isinstance(word, str) for word in words))


def _or_secret(node: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {key: node[key] for key in ("description", "default") if key in node}
    kept = {key: value for key, value in node.items() if key not in about}
    return {**about, "anyOf": [kept, {"$ref": "#/$defs/Secret"}]}
