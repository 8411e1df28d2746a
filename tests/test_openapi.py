"""The OpenAPI document is valid, says what the routes and the rows say, and its examples are true."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from switchboard import app, models
from switchboard.api import scopes
from switchboard.api.capabilities import of as capabilities_of
from switchboard.api.openapi import bodies, capabilities, document, pods, records, samples, unified
from switchboard.api.pods import creation, keeping, record, templates
from switchboard.api.pods.creation import Order
from switchboard.api.records import contacts
from switchboard.api.routes import PODS, RECORDS, ROUTES
from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.problem import Fault, Problem
from switchboard.crm.wire import dig
from switchboard.models.schema import verbs
from switchboard.pods import blocks, look, starters
from switchboard.pods.blocks import Said, TemplateInput
from switchboard.ports import Account, User
from switchboard.search import filters
from switchboard.search.contact import shown
from switchboard.search.fields import ALIASES, FIELDS, OPERATORS, ORDERS, field
from switchboard.search.keeping import Keeper
from tests.worlds import BRAND, World

DOCUMENT = document()
SCHEMAS: Mapping[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
each_operation = pytest.mark.parametrize(("path", "method"), OPERATIONS)
PAGES = [path for path, method in OPERATIONS if "security" in DOCUMENT["paths"][path][method]]
KEYED = [each for each in OPERATIONS if each[0] in PODS and each[0] not in PAGES]
each_keyed = pytest.mark.parametrize(("path", "method"), KEYED)
MADE = [plural for plural in models.MODULES if "create" in verbs(plural)]


def problems(schema: Any, value: Any) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [f"{each.json_path}: {each.message}" for each in Draft202012Validator(whole).iter_errors(value)]


def resolved(part: Any) -> Any:
    """What a reference leads to."""
    if "$ref" not in part:
        return part
    _, _, kind, name = part["$ref"].split("/")
    return DOCUMENT["components"][kind][name]


def contents(operation: Any) -> Iterator[Any]:
    """Everything with a schema and an example."""
    if "requestBody" in operation:
        yield from operation["requestBody"]["content"].values()
    for response in operation["responses"].values():
        yield from resolved(response).get("content", {}).values()


def references(part: Any) -> Iterator[str]:
    """Every reference to a component."""
    match part:
        case dict():
            yield from (value for name, value in part.items() if name == "$ref")
            for value in part.values():
                yield from references(value)
        case list():
            for value in part:
                yield from references(value)
        case _:
            pass


def test_it_is_openapi() -> None:
    assert [str(each) for each in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_it_has_the_routes_and_no_others() -> None:
    assert {path: {each.upper() for each in methods} for path, methods in DOCUMENT["paths"].items()} == {
        path: set(methods) for path, methods in ROUTES.items()
    }
    assert {(path, method.upper()) for path, method in OPERATIONS if path in PODS} == pods.operations().keys()


def test_no_component_is_said_twice_and_none_is_for_nothing() -> None:
    told = [unified.schemas(), capabilities.schemas(), pods.schemas(), records.schemas()]
    assert sum(map(len, told)) + 1 == len(SCHEMAS)
    used = set(references(DOCUMENT))
    for kind in ("parameters", "headers", "responses", "schemas"):
        assert [name for name in DOCUMENT["components"][kind] if f"#/components/{kind}/{name}" not in used] == []


@each_operation
def test_every_operation_has_true_examples(path: str, method: str) -> None:
    found = list(contents(DOCUMENT["paths"][path][method]))
    assert found
    for content in found:
        assert problems(content["schema"], content["example"]) == []


@each_operation
def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    names = [DOCUMENT["paths"][other][verb]["operationId"] for other, verb in OPERATIONS]
    assert names.count(operation["operationId"]) == 1
    assert operation["summary"]
    assert {"name": operation["tags"][0]} in DOCUMENT["tags"]


@each_operation
def test_every_operation_takes_what_stands_in_its_path(path: str, method: str) -> None:
    taken = [resolved(each) for each in DOCUMENT["paths"][path][method].get("parameters", [])]
    assert [each["name"] for each in taken if each["in"] == "path"] == re.findall(r"\{(\w+)\}", path)


@pytest.mark.parametrize("plural", MADE)
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


@pytest.mark.parametrize("plural", models.MODULES)
def test_a_resource_has_the_bodies_that_its_methods_take_and_give(plural: str) -> None:
    schema = models.load(plural)
    assert schema.response.__name__ in SCHEMAS
    assert (schema.request.__name__ in SCHEMAS) == (plural in unified.REQUESTS) == ("create" in verbs(plural))
    assert (f"{schema.response.__name__}List" in SCHEMAS) == ("list" in verbs(plural))


@pytest.mark.parametrize("plural", models.MODULES)
def test_the_examples_are_of_our_records(plural: str) -> None:
    schema = models.load(plural)
    if plural in MADE:
        schema.request.model_validate(unified.REQUESTS[plural])
    assert set(unified.ANSWERS[plural]) <= {*schema.readable, "remote_data"}


def test_a_problem_has_the_members_of_its_surface() -> None:
    told = {
        name: next(iter(response["content"].values()))["example"]
        for name, response in DOCUMENT["components"]["responses"].items()
    }
    assert {"statusCode", "message"} <= told["problem"].keys()
    assert "success" not in told["problem"]
    assert told["pods_problem"]["success"] is False
    assert told["pods_problem"]["error"] == told["pods_problem"]["detail"]
    assert "statusCode" not in told["pods_problem"]
    assert not {"success", "statusCode"} & told["records_problem"].keys()
    for path, method in OPERATIONS:
        own = "pods_problem" if path in PODS else "records_problem" if path in RECORDS else "problem"
        default = DOCUMENT["paths"][path][method]["responses"]["default"]
        assert default == {"$ref": f"#/components/responses/{own}"}


# The pods surface


def faults(body: Mapping[str, Any]) -> list[Fault]:
    """What is wrong with a request for a pod."""
    try:
        Order.of(body)
    except Problem as problem:
        return list(problem.faults)
    return []


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_objects_of_a_pod_stand_in_the_description(name: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCUMENT["paths"]["/v1/pods"]["post"]["description"], re.MULTILINE)
    assert dict(rows[1:])[name].replace("`", "").split(", ") == list(registry.load(name).pods)
    words = SCHEMAS["NewPod"]["properties"]["crm_object"]["enum"]
    assert set(registry.load(name).pods) <= set(words)


def test_a_request_for_a_pod_has_the_fields_that_are_checked() -> None:
    schema = SCHEMAS["NewPod"]
    assert tuple(schema["properties"]) == creation.FIELDS
    assert {each.field for each in faults({})} == set(schema["required"])
    assert faults(samples.new_pod()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"crm_type": "nobody"},
        {"crm_object": "Deals"},
        {"crm_id": 12345},
        {"crm_id": "1/2"},
        {"crm_id": "1" * 256},
        {"template_id": "t" * 65},
        {"integrated_account_id": 5},
        {"owner_email": "a" * 320 + "@"},
        {"title": "A stranger"},
    ],
    ids=str,
)
def test_a_request_for_a_pod_that_is_refused_is_refused_by_the_document(change: dict[str, Any]) -> None:
    body = samples.new_pod() | change
    assert [each.field for each in faults(body)] == list(change)
    assert problems({"$ref": "#/components/schemas/NewPod"}, body)


def test_patches_searches_and_previews_have_the_fields_that_are_known() -> None:
    assert set(SCHEMAS["PodPatch"]["properties"]) == set(keeping.CHANGES)
    assert set(SCHEMAS["TemplatePatch"]["properties"]) == set(TemplateInput.model_fields)
    assert tuple(SCHEMAS["PodSearch"]["properties"]) == keeping.SEARCH
    assert set(SCHEMAS["PreviewInput"]["properties"]) == set(templates.PREVIEW)
    for name in ("NewPod", "PodPatch", "TemplateInput", "TemplatePatch", "PodSearch", "PreviewInput"):
        assert SCHEMAS[name]["additionalProperties"] is False
    assert '"default"' not in json.dumps([SCHEMAS["PodPatch"], SCHEMAS["TemplatePatch"]])


def test_a_preview_is_of_a_whole_record_or_of_values_or_of_neither() -> None:
    schema = {"$ref": "#/components/schemas/PreviewInput"}
    whole = {name: value for name, value in samples.new_pod().items() if name in record.FIELDS}
    for good in ({}, whole, {"values": starters.sample()}):
        assert problems(schema, good) == []
    for bad in ({"crm_id": "5"}, whole | {"values": {}}, {"values": {"nobody": {}}}, {"values": {"deal": 5}}):
        assert problems(schema, bad), bad


@pytest.mark.parametrize("id", starters.IDS)
def test_templates_that_come_with_us_are_templates(id: str) -> None:
    sent = {name: value for name, value in starters.load()[id].items() if name != "id"}
    assert problems({"$ref": "#/components/schemas/TemplateInput"}, sent) == []


def test_every_block_is_described_and_so_is_every_text_that_may_hold_variables() -> None:
    block = dig(blocks.TemplateInput.model_json_schema(), "$defs.Block.discriminator.mapping")
    assert set(dig(SCHEMAS, "Block.discriminator.mapping")) == set(block)
    models_of_blocks = {name: model for name, model in vars(blocks).items() if name in SCHEMAS and name != "Block"}
    assert {each.rpartition("/")[2] for each in block.values()} <= models_of_blocks.keys()
    for name, model in models_of_blocks.items():
        for member, info in model.model_fields.items():
            for said in (each for each in info.metadata if isinstance(each, Said)):
                assert SCHEMAS[name]["properties"][member]["description"] == bodies.SAID[said]


# The pods surface, asked what the document says


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with the template and the pod of the examples, and a CRM that has the record."""
    found, asked = World(), samples.new_pod()
    monkeypatch.setattr(app, "services", lambda: found.services)
    monkeypatch.setattr(app, "pods", lambda: found.pods)
    monkeypatch.setattr(app, "tokens", lambda: found.tokens)
    monkeypatch.setattr(app, "SystemClock", lambda: found.clock)
    monkeypatch.setattr(app.time, "time", found.clock.now)
    monkeypatch.setattr(record, "values", lambda *_: samples.values())
    found.access.accounts.clear()
    found.access.accounts[BRAND, unified.ACCOUNT] = Account(BRAND, unified.ACCOUNT, asked["crm_type"], "api_key")
    found.access.users.append((BRAND, User("user-2", asked["owner_email"], "member")))
    return found


class Context:
    """What Lambda tells of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


def ask(world: World, path: str, method: str, *granted: str, **headers: str) -> tuple[int, Mapping[str, str], str]:
    """Send the example of an operation to the function that answers it."""
    operation = DOCUMENT["paths"][path][method]
    body = next(iter(operation.get("requestBody", {"content": {"": {"example": None}}})["content"].values()))["example"]
    return send(world, path, method, body, world.issue(granted), headers)


def send(
    world: World, path: str, method: str, body: Any, key: str, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], str]:
    """Send a body to the function that answers an operation; headers are named with underscores."""
    id = CONTACT.id if path in RECORDS else samples.TEMPLATE_ID if "template" in path else samples.POD_ID
    place = path.format(id=id, file=next(iter(look.ASSETS)))
    given = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    event = {
        "rawPath": place,
        "headers": given | {name.replace("_", "-"): value for name, value in headers.items()},
        "body": "" if body is None else json.dumps(body),
        "requestContext": {"domainName": "api.example.com", "http": {"method": method.upper(), "path": place}},
    }
    reply = getattr(app, ROUTES[path][method.upper()])()(event, Context())
    return reply["statusCode"], reply["headers"], reply["body"]


def hold(world: World, id: str) -> None:
    """Let it be the moment, and the word be said, that make up an id."""
    world.clock.at = float(int(id[:8], 16))
    world.word = lambda: id[8:]


def furnish(world: World) -> None:
    """Make the template and the pod of the examples."""
    for path, id in (("/v1/templates", samples.TEMPLATE_ID), ("/v1/pods", samples.POD_ID)):
        hold(world, id)
        status, _, body = ask(world, path, "post", "pod.all", "template.all")
        assert status < 300, body


@each_keyed
def test_what_is_sent_as_the_example_is_answered_as_the_example(world: World, path: str, method: str) -> None:
    furnish(world)
    hold(world, samples.TEMPLATE_ID if "template" in path else samples.POD_ID)
    if path in ("/v1/pods", "/api/v1/pods/new"):
        world.pods.pods.clear()
    if (path, method) == ("/v1/templates", "post"):
        world.pods.kept.clear()
    status, headers, body = ask(world, path, method, "pod.all", "template.all")
    told = DOCUMENT["paths"][path][method]["responses"][str(status)]
    assert set(told["headers"]) - {"idempotent-replayed"} <= headers.keys()
    if "content" not in told:
        assert body == ""
        return
    content = told["content"]["application/json"]
    answer = json.loads(body)
    assert problems(content["schema"], answer) == []
    if (path, method) == ("/v1/templates", "get"):
        assert [each["id"] for each in answer["data"][1:]] == list(starters.IDS)
        del answer["data"][1:]
    if path.endswith("/preview"):
        assert answer["data"]["html"].startswith(samples.PAGE)
        answer["data"]["html"] = samples.PAGE
    assert answer == content["example"]


@each_keyed
def test_the_scope_that_an_operation_wants_is_the_one_that_is_told(world: World, path: str, method: str) -> None:
    status, _, body = ask(world, path, method)
    assert status == 403
    wanted = json.loads(body)["detail"].removesuffix(".").rpartition(" ")[2]
    told = re.findall(r"`([^`]+)`", DOCUMENT["paths"][path][method]["description"].rpartition("scope")[2])
    assert told == [wanted, *(alias for alias, meant in scopes.ALIASES.items() if meant == wanted)]


@each_keyed
def test_a_header_that_is_told_does_something(world: World, path: str, method: str) -> None:
    furnish(world)
    words = count(1)
    world.word = lambda: f"{next(words):016x}"
    names = {resolved(each)["name"] for each in DOCUMENT["paths"][path][method]["parameters"]}
    status, _, _ = ask(world, path, method, "pod.all", "template.all", if_match='"999"')
    assert (status == 412) == ("If-Match" in names)
    replayed = [
        "idempotent-replayed" in ask(world, path, method, "pod.all", "template.all", idempotency_key="k")[1]
        for _ in range(2)
    ]
    assert replayed == [False, "Idempotency-Key" in names]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_what_is_told_of_it(world: World, path: str) -> None:
    responses = DOCUMENT["paths"][path]["get"]["responses"]
    status, headers, body = ask(world, path, "get")
    if "{id}" in path:
        assert status == 404
        assert set(responses["404"]["headers"]) <= headers.keys()
        assert body.startswith(samples.PAGE)
        furnish(world)
        status, headers, body = ask(world, path, "get")
        assert body.startswith(samples.PAGE)
    assert status == 200
    assert set(responses["200"]["headers"]) <= headers.keys()
    assert headers["content-type"].partition(";")[0] in responses["200"]["content"]
    if "304" in responses:
        status, headers, body = ask(world, path, "get", if_none_match=headers["etag"])
        assert (status, body) == (304, "")
        assert set(responses["304"]["headers"]) <= headers.keys()


def test_pages_and_they_alone_are_for_everybody() -> None:
    assert sorted(PAGES) == sorted(path for path, methods in PODS.items() if "view_pod" in methods.values())
    assert not [
        path for path, method in OPERATIONS if path not in PAGES and "security" in DOCUMENT["paths"][path][method]
    ]


# The records surface, asked what the document says

VERSION = records.PARAMETERS["Version"]["example"]
CONTACT = replace(records.kept(), brand=BRAND)
FOUND = [(path, method) for path, method in OPERATIONS if path in RECORDS]
each_record = pytest.mark.parametrize(("path", "method"), FOUND)


def stock(world: World) -> None:
    """Let the contact of the examples be the one that was synced, at the moment of which they tell."""
    synced = records.scope()
    world.clock.at = records.SYNCED_AT + 60
    Keeper(world.contacts, BRAND, world.clock.now()).keep([CONTACT])
    for account, checkpoint in synced.accounts.items():
        world.contacts.points[BRAND, account] = replace(checkpoint, brand=BRAND)
        world.contacts.know(BRAND, account, synced.of(account))


def sought(world: World, body: Any, **headers: str) -> tuple[int, Mapping[str, str], Any]:
    """The answer to a search."""
    given = {"version": VERSION} | headers
    status, told, text = send(world, records.PATH, "post", body, world.issue(["contact.read"]), given)
    return status, told, json.loads(text)


@each_record
def test_a_question_for_contacts_is_answered_as_the_example(world: World, path: str, method: str) -> None:
    stock(world)
    status, headers, body = ask(world, path, method, "contact.read", version=VERSION)
    told = DOCUMENT["paths"][path][method]["responses"][str(status)]
    assert set(told["headers"]) <= headers.keys()
    content = told["content"]["application/json"]
    assert problems(content["schema"], json.loads(body)) == []
    assert json.loads(body) == content["example"]


@each_record
def test_contacts_want_the_scope_and_the_version_that_are_told(world: World, path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    status, _, body = ask(world, path, method, version=VERSION)
    assert status == 403
    assert re.findall(r"`([^`]+)`", operation["description"].rpartition("scope")[2]) == [
        json.loads(body)["detail"].removesuffix(".").rpartition(" ")[2]
    ]
    [version] = [each for each in map(resolved, operation["parameters"]) if each["in"] == "header"]
    assert version["required"]
    status, _, body = ask(world, path, method, "contact.read")
    assert (status, json.loads(body)["errors"][0]["field"]) == (400, version["name"])


def test_a_search_with_faults_is_answered_as_the_example(world: World) -> None:
    status, headers, told = sought(world, records.WRONG)
    response = DOCUMENT["components"]["responses"]["records_problem"]
    example = response["content"]["application/problem+json"]["example"]
    assert status == example["status"]
    assert told == example | {"trace_id": told["trace_id"]}
    assert set(response["headers"]) - {"retry-after"} <= headers.keys()
    assert problems(SCHEMA_OF_SEARCH, records.WRONG)


SCHEMA_OF_SEARCH = {"$ref": "#/components/schemas/ContactSearch"}
VALUES = {"text": "Ada", "id": "con_1", "digits": "+44 20", "moment": "2026-06-01T00:00:00Z", "custom": 5}
SHAPES = [
    {},
    {"value": None},
    *({"value": each} for each in (*VALUES.values(), " ", "x" * 513, True, 1.5, ["Ada"], {})),
    *({"values": [each, each]} for each in VALUES.values()),
    {"values": ["2026-06-01T00:00:00Z"]},
    {"values": []},
    {"values": ["Ada"] * 101},
    {"values": "Ada"},
    {"value": "Ada", "values": ["Ada"]},
    {"value": "Ada", "strength": 5},
]
"""What may stand beside a field and an operator, right or wrong."""
SEARCHABLE = ["emails", "email", "id", "phone", "created_at", "custom_fields.size", "custom_fields.", "shoe_size"]
"""A field of each kind, others by another name, and what is none."""
KNOWN_OPERATORS = sorted({each for operators in OPERATORS.values() for each in operators})


@pytest.mark.parametrize("name", SEARCHABLE)
def test_a_condition_is_refused_by_the_document_where_it_is_refused(name: str) -> None:
    """Of every shape with every operator, and of those that are in order too."""
    validator, good = Draft202012Validator({**SCHEMA_OF_SEARCH, "components": DOCUMENT["components"]}), 0
    for operator in (*KNOWN_OPERATORS, "like"):
        for shape in SHAPES:
            body = {"filters": [{"field": name, "operator": operator, **shape}]}
            faults: list[Fault] = []
            filters.read(body["filters"], faults)
            if any(value is None for value in shape.values()):
                continue  # the API takes null for what is not there; the document does not speak of it
            assert validator.is_valid(body) == (not faults), body
            good += not faults
    assert bool(good) == (field(name) is not None)


CONDITION = {"field": "name", "operator": "is_empty"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filters": [], "search_text": "ada", "order_by": "name", "sort_direction": "asc", "limit": 100},
        {"filters": [{"group": "or", "filters": [CONDITION]}, {"group": "and", "filters": [CONDITION, CONDITION]}]},
        {"filters": {}},
        {"filters": ["name"]},
        {"filters": [CONDITION] * 21},
        {"filters": [{"group": "nor", "filters": [CONDITION]}]},
        {"filters": [{"group": "or", "filters": []}]},
        {"filters": [{"group": "or", "filters": [{"group": "or", "filters": [CONDITION]}]}]},
        {"filters": [{"group": "or", "filters": [CONDITION], "field": "name"}]},
        {"search_text": 5},
        {"search_text": "x" * 256},
        {"order_by": "emails"},
        {"order_by": ORDERS[0], "sort_direction": "down"},
        {"limit": 0},
        {"limit": 101},
        {"limit": "25"},
        {"cursor": 5},
        {"offset": 25},
    ],
    ids=str,
)
def test_a_search_is_refused_where_the_document_refuses_it(world: World, body: Any) -> None:
    stock(world)
    status, _, told = sought(world, body)
    assert status == (422 if problems(SCHEMA_OF_SEARCH, body) else 200), told


def test_all_that_is_told_of_a_search_is_known() -> None:
    assert tuple(SCHEMAS["ContactSearch"]["properties"]) == contacts.BODY
    assert SCHEMAS["ContactSearch"].get("required", []) == []
    assert SCHEMAS["ContactSearch"]["properties"]["order_by"]["enum"] == list(ORDERS)
    names = {kind: dig(SCHEMAS, f"{records.named(kind)}.properties.field").get("enum", []) for kind in OPERATORS}
    assert {name: kind for kind, told in names.items() for name in told} == {
        name: found.kind for name in (*FIELDS, *ALIASES) if (found := field(name))
    }
    assert {found.kind for name in SEARCHABLE if (found := field(name))} == set(OPERATORS)


def test_a_contact_that_says_nothing_is_told_as_the_document_says() -> None:
    bare = replace(CONTACT, body={})
    named = replace(CONTACT, body={"company": {"name": "Harbour & Pine"}, "owner": {"id": "8"}})
    for each in (bare, named, CONTACT):
        assert problems({"$ref": "#/components/schemas/StoredContact"}, shown(each, {})) == []
    assert set(SCHEMAS["StoredContact"]["required"]) == set(shown(bare, {}))


@pytest.mark.parametrize("name", registry.NAMES)
def test_what_a_crm_can_do_is_told_as_the_document_says(name: str) -> None:
    told = {"result": [capabilities_of(registry.load(name))]}
    assert problems({"$ref": "#/components/schemas/Capabilities"}, told) == []
