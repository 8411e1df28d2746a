"""What the document says of the pods surface."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from switchboard.api.openapi import bodies, samples, terms
from switchboard.api.openapi.bodies import success
from switchboard.api.openapi.samples import PAGE, POD_PATCH, SEARCH, TEMPLATE, TEMPLATE_PATCH, template
from switchboard.api.openapi.terms import (
    LIMITS,
    TEXT,
    Json,
    answer,
    content,
    header,
    listed,
    parameter,
    parameters,
    ref,
    wanting,
)
from switchboard.api.pods import templates
from switchboard.api.pods.creation import Order
from switchboard.api.reply import Reply
from switchboard.pods import look
from switchboard.ports import Pod

schemas = bodies.schemas
PROBLEM_REF: Json = {"$ref": "#/components/responses/pods_problem"}


def operation(path: str, method: str) -> Json:
    """What is done by this method at this path."""
    return operations()[path, method]


@cache
def operations() -> Mapping[tuple[str, str], Json]:
    """What is done, by path and method."""
    return {
        ("/v1/pods", "POST"): _create(
            "create_pod",
            f"A page about a record of a CRM, made by a template. What it may be made of:\n\n{bodies.objects()}",
        ),
        ("/api/v1/pods/new", "POST"): _create("create_pod_new", "The same as `POST /v1/pods`."),
        ("/v1/pods/search", "POST"): _keyed(
            "search_pods",
            "Find pods, newest first",
            "Without filters all of the brand's.",
            "pod.read",
            told=_told("A page of them.", bodies.page(), samples.page()),
            body=content(ref("PodSearch"), SEARCH),
        ),
        ("/v1/pods/{id}", "GET"): _keyed(
            "get_pod",
            "Get a pod",
            "With its own copy of the template's layout, and what its variables stand for.",
            "pod.read",
            "pod_id",
            told=_pod(samples.pod()),
        ),
        ("/v1/pods/{id}", "PATCH"): _keyed(
            "update_pod",
            "Change a pod",
            "A merge patch of its layout, its owner, and what is said instead of the record's values.",
            "pod.write",
            "pod_id",
            "If-Match",
            told=_pod(samples.pod(2, POD_PATCH["variables"], accent=POD_PATCH["accent"])),
            body=content(ref("PodPatch"), POD_PATCH),
        ),
        ("/v1/pods/{id}", "DELETE"): _keyed(
            "delete_pod",
            "Delete a pod",
            "The pod and its page are gone at once.",
            "pod.delete",
            "pod_id",
            told={"204": answer("It is gone.", LIMITS)},
        ),
        ("/v1/pods/{id}/refresh", "POST"): _keyed(
            "refresh_pod",
            "Read a pod's record anew",
            "What is said instead of the record's values stays.",
            "pod.write",
            "pod_id",
            "Idempotency-Key",
            told=_pod(samples.pod(2), "idempotent-replayed"),
        ),
        ("/v1/templates", "GET"): _keyed(
            "list_templates",
            "List templates",
            "The brand's own, newest first, then those that come with us.",
            "template.read",
            told=_told("All of them.", success(listed(ref("TemplateSummary"))), samples.all_templates()),
        ),
        ("/v1/templates", "POST"): _keyed(
            "create_template",
            "Create a template",
            "The answer tells which variables it mentions.",
            "template.write",
            "Idempotency-Key",
            told=_template(templates.shown(template(), 201), "location", "idempotent-replayed"),
            body=content(ref("TemplateInput"), TEMPLATE),
        ),
        ("/v1/templates/{id}", "GET"): _keyed(
            "get_template",
            "Get a template",
            "One that comes with us has neither version nor ETag.",
            "template.read",
            "template_id",
            told=_template(templates.shown(template())),
        ),
        ("/v1/templates/{id}", "PATCH"): _keyed(
            "update_template",
            "Change a template",
            "A merge patch. Pods that were made from it stay as they are.",
            "template.write",
            "template_id",
            "If-Match",
            told=_template(templates.shown(template(2, **TEMPLATE_PATCH))),
            body=content(ref("TemplatePatch"), TEMPLATE_PATCH),
        ),
        ("/v1/templates/{id}", "DELETE"): _keyed(
            "delete_template",
            "Delete a template",
            "Pods that were made from it stay.",
            "template.delete",
            "template_id",
            told={"204": answer("It is gone.", LIMITS)},
        ),
        ("/v1/templates/{id}/preview", "POST"): _keyed(
            "preview_template",
            "See a template filled in",
            "With a record of a CRM, with values that are given, or with made-up ones. Nothing is stored.",
            "template.read",
            "template_id",
            told=_told(
                "What a pod would show; the page is cut short here.", success(ref("Preview")), samples.preview()
            ),
            body=content(ref("PreviewInput"), {}),
        ),
        ("/pods/{id}/live", "GET"): _page(
            "view_pod",
            "Read a pod",
            "pod_id",
            "If-None-Match",
            told={"200": _html("The page, cut short here.", *KEPT), "304": answer("The reader has it.", KEPT)},
        ),
        ("/pods/edit/{id}", "GET"): _page(
            "edit_pod",
            "Edit a pod",
            "pod_id",
            told={"200": _html("A page that holds nothing of the pod and asks for an API key; cut short here.")},
        ),
        ("/pods/assets/{file}", "GET"): _page(
            "get_asset",
            "Get a file that the edit page is made of",
            "file",
            told={"200": answer("The file.", ("cache-control",), _files())},
        ),
    }


def _create(name: str, description: str) -> Json:
    return _keyed(
        name,
        "Create a pod",
        description,
        "pod.write",
        "Idempotency-Key",
        told=_told("It was made.", success(ref("PodLinks")), samples.links(), "idempotent-replayed"),
        body=content(ref("NewPod"), samples.new_pod()),
    )


def _keyed(
    name: str, summary: str, description: str, scope: str, *names: str, told: Json, body: Json | None = None
) -> Json:
    """What a caller with a key may do, if it has the scope."""
    return {
        "tags": [f"{scope.partition('.')[0]}s"],
        "operationId": name,
        "summary": summary,
        "description": wanting(description, scope),
        "parameters": parameters(*names),
        **({"requestBody": {"required": True, "content": body}} if body else {}),
        "responses": {**told, "default": PROBLEM_REF},
    }


def _page(name: str, summary: str, *names: str, told: Json) -> Json:
    """What everybody may see who has the address."""
    return {
        "tags": ["pages"],
        "operationId": name,
        "summary": summary,
        "description": "Wants no API key: whoever has the address may see it.",
        "parameters": parameters(*names),
        "security": [],
        "responses": {
            **told,
            "404": _html("There is no such page, or no longer; cut short here."),
            "default": PROBLEM_REF,
        },
    }


def _told(description: str, schema: Json, example: Any, *names: str) -> Json:
    return {"200": answer(description, (*LIMITS, *names), content(schema, example))}


def _pod(found: Pod, *names: str) -> Json:
    return _told("The pod.", success(ref("Pod")), samples.shown(found), "etag", *names)


def _template(reply: Reply, *names: str) -> Json:
    body = content(success(ref("Template")), samples.told(reply))
    return {str(reply.status): answer("The template.", (*LIMITS, "etag", *names), body)}


def _html(description: str, *names: str) -> Json:
    return answer(description, names or ("cache-control", "content-security-policy"), content(TEXT, PAGE, "text/html"))


def _files() -> Json:
    media = sorted({each.media_type.partition(";")[0] for each in look.ASSETS.values()})
    return {name: content(TEXT, "", name)[name] for name in media}


def problem() -> Json:
    """What is answered to a request for a pod of an object that the CRM does not have."""
    found = terms.raised(lambda: Order.of(samples.new_pod() | {"crm_object": "tickets"}))
    return terms.problem("/v1/pods", found, LIMITS)


PARAMETERS: dict[str, Json] = {
    "pod_id": parameter("id", bodies.POD_ID, "The id of the pod.", "path", required=True),
    "template_id": parameter("id", bodies.TEMPLATE_ID, "The id of the template.", "path", required=True),
    "file": parameter(
        "file", TEXT, "A name that stands in the edit page; it changes with the file.", "path", required=True
    ),
    "If-Match": parameter("If-Match", TEXT, "Change it only if this is its ETag still; else 412.", "header"),
    "If-None-Match": parameter("If-None-Match", TEXT, "The ETag of the page that the reader has.", "header"),
}
"""The parameters of this surface, by the names that components have."""

KEPT = ("etag", "cache-control", "content-security-policy")
"""Those of a page that is kept for a while."""
HEADERS: dict[str, Json] = {
    "etag": header("The version of what is told, in quotes."),
    "location": header("Where the new template is."),
    "cache-control": header("How long the page may be kept."),
    "content-security-policy": header("What the page may load and do."),
}
"""The headers of this surface."""
