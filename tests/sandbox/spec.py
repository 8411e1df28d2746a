"""Requests checked against the vendors' OpenAPI documents, read in place from ../shared/specs when that is there."""

import json
from functools import cache
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "specs"


def available() -> bool:
    return FOLDER.is_dir()


def modern(schema: Any, components: dict[str, Any], inside: tuple[str, ...] = ()) -> Any:
    """OpenAPI 3.0's dialect in JSON Schema's words: `nullable` becomes a type, references are written out.

    Written out because resolving a reference costs jsonschema more than checking the body.
    """
    if isinstance(schema, list):
        return [modern(item, components, inside) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    members = cast("dict[str, Any]", schema)
    reference = members.get("$ref")
    if isinstance(reference, str):
        *_, section, name = reference.split("/")
        # A schema that contains itself is checked down to its own name.
        return {} if reference in inside else modern(components[section][name], components, (*inside, reference))
    plain = {name: modern(value, components, inside) for name, value in members.items() if name != "nullable"}
    if members.get("nullable") is True:
        plain = {"anyOf": [plain, {"type": "null"}]}
    return plain


class Contract:
    """One OpenAPI document: finds the operation of a request and checks the body against it."""

    def __init__(self, document: dict[str, Any], prefix: str) -> None:
        self.document = document
        self.validators: dict[tuple[str, str], Draft202012Validator | None] = {}
        rules = [
            Rule((prefix + path).rstrip("/").replace("{", "<").replace("}", ">") or "/", endpoint=path)
            for path in document["paths"]
        ]
        self.paths = Map(rules, strict_slashes=False).bind("sandbox")

    def operation(self, method: str, path: str) -> tuple[str, str] | None:
        try:
            template, _ = self.paths.match(path.rstrip("/") or "/")
        except HTTPException:
            return None
        verb = method.lower()
        return (template, verb) if verb in self.document["paths"][template] else None

    def violation(self, operation: tuple[str, str], body: Any) -> tuple[str, str] | None:
        """Where the body breaks the schema and how, or None."""
        if operation not in self.validators:
            self.validators[operation] = self._validator(operation)
        validator = self.validators[operation]
        error = best_match(validator.iter_errors(body)) if validator else None
        if error is None:
            return None
        return ".".join(str(step) for step in error.absolute_path), error.message

    def _validator(self, operation: tuple[str, str]) -> Draft202012Validator | None:
        template, verb = operation
        content = self.document["paths"][template][verb].get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return None
        return Draft202012Validator(modern(schema, self.document.get("components", {})))


@cache
def document(vendor: str, file: str) -> dict[str, Any] | None:
    path = FOLDER / vendor / file
    return json.loads(path.read_text()) if path.is_file() else None
