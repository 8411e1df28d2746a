"""The OpenAPI document is valid, says what the routes and the rows say, and its examples are true."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from switchboard import models
from switchboard.api import openapi
from switchboard.api.openapi import document
from switchboard.api.routes import ROUTES
from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.wire import dig

DOCUMENT = document()
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
each_operation = pytest.mark.parametrize(("path", "method"), OPERATIONS)


def problems(schema: Any, value: Any) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)]


def contents(operation: Any) -> Iterator[Any]:
    """Everything with a schema and an example."""
    if "requestBody" in operation:
        yield from operation["requestBody"]["content"].values()
    for response in operation["responses"].values():
        found = response if "$ref" not in response else DOCUMENT["components"]["responses"]["problem"]
        yield from found["content"].values()


def test_it_is_openapi() -> None:
    assert [str(each) for each in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_it_has_the_routes_and_no_others() -> None:
    assert {path: {each.upper() for each in methods} for path, methods in DOCUMENT["paths"].items()} == {
        path: set(methods) for path, methods in ROUTES.items()
    }


@each_operation
def test_every_operation_has_true_examples(path: str, method: str) -> None:
    found = list(contents(DOCUMENT["paths"][path][method]))
    assert len(found) >= 2
    for content in found:
        assert problems(content["schema"], content["example"]) == []


@each_operation
def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    names = [DOCUMENT["paths"][other][verb]["operationId"] for other, verb in OPERATIONS]
    assert names.count(operation["operationId"]) == 1
    assert operation["summary"]


@pytest.mark.parametrize("plural", models.MODULES)
def test_what_a_request_requires_and_supports_stands_at_its_fields(plural: str) -> None:
    schema = models.load(plural)
    fields = dig(DOCUMENT, f"components.schemas.{schema.request.__name__}.properties")
    assert set(fields) == {*schema.writable, "remote_data"}
    for name in schema.writable:
        for crm in (registry.load(each) for each in registry.NAMES):
            resource = crm.resources[plural]
            if not isinstance(resource, Resource) or "create" not in resource.verbs:
                assert crm.title not in fields[name].get("description", "")
                continue
            said = f"{fields[name].get('description', '')}."
            required = any(each.split(".")[0] == name for each in resource.table.names(required=True))
            writable = any(each.split(".")[0] == name for each in resource.table.names(writable=True))
            first, _, second = said.partition("Supported in:")
            assert (crm.title in first) == required, (crm.name, name)
            assert (crm.title in second) == (writable and not required), (crm.name, name)


def test_the_examples_are_of_our_records() -> None:
    for plural in models.MODULES:
        schema = models.load(plural)
        schema.request.model_validate(openapi.REQUESTS[plural])
        assert set(openapi.ANSWERS[plural]) <= {*schema.readable, "remote_data"}
