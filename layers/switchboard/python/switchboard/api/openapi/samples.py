"""Examples of the pods surface, told by the code that answers: a template, a pod of it, and what is sent for them."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

from switchboard.api.call import Call
from switchboard.api.openapi.terms import TRACE, Json
from switchboard.api.openapi.unified import ACCOUNT
from switchboard.api.pods import creation, keeping, templates
from switchboard.api.reply import Reply
from switchboard.crm import registry
from switchboard.pods import filling, starters, variables
from switchboard.pods.blocks import Layout, TemplateInput
from switchboard.ports import Pod, Services, Template

TEMPLATE_ID, POD_ID = "69f0bafc4cc54b506b0355d8", "6b01ca58a1b2c3d4e5f60718"
"""Each begins with the second in which it was made."""
LAYOUT: Json = {
    "title": 'A plan for {{ company.name | default: "your team" }}',
    "blocks": [
        {"type": "text", "text": 'Hello {{ contact.first_name | default: "and welcome" }}, all is in one place here.'},
        {
            "type": "timeline",
            "title": "What happens when",
            "steps": [
                {"title": "Our proposal", "done": True},
                {"title": "Your decision", "date": "{{ deal.close_date | date }}"},
            ],
        },
        {"type": "button", "text": "Ask us anything", "url": "mailto:{{ owner.email }}"},
    ],
}
TEMPLATE: Json = {"name": "Deal room", **LAYOUT}
TEMPLATE_PATCH: Json = {"name": "Deal room, winter", "accent": "plum"}
POD_PATCH: Json = {"accent": "plum", "variables": {"contact.first_name": "Dr Lindqvist"}}
SEARCH: Json = {"filters": [{"field": "template_id", "operator": "eq", "value": TEMPLATE_ID}]}
PAGE = '<!doctype html>\n<html lang="en"'
"""How every page begins."""
HERE = Call("GET", "/v1/pods", "", {}, b"", TRACE, "api.example.com")
STORE = cast("Services", SimpleNamespace(public_url=""))
"""As much of the world as an answer takes that tells of what is stored."""


def new_pod() -> Json:
    """A request for a pod."""
    return {
        "crm_type": next(name for name in registry.NAMES if "deals" in registry.load(name).pods),
        "crm_object": "deals",
        "crm_id": "12345",
        "template_id": TEMPLATE_ID,
        "owner_email": "alice@yourcompany.com",
    }


def template(version: int = 1, **changes: Any) -> Template:
    """The template that the request makes."""
    checked, _ = filling.checked(TemplateInput, TEMPLATE | changes)
    made = int(TEMPLATE_ID[:8], 16)
    return Template("", TEMPLATE_ID, checked.name, creation.plain(checked), made, made, version)


def values() -> Json:
    """The record that the pod is about: the one that templates are tried with."""
    return {root: variables.spoken(each) for root, each in starters.sample().items()}


def pod(version: int = 1, overrides: Mapping[str, str] | None = None, **changes: Any) -> Pod:
    """The pod that the request makes."""
    checked, mentioned = filling.checked(Layout, LAYOUT | changes)
    said = variables.laid_over(values(), overrides or {})
    made, asked = int(POD_ID[:8], 16), new_pod()
    return Pod(
        brand="",
        id=POD_ID,
        crm=asked["crm_type"],
        object=asked["crm_object"],
        crm_id=asked["crm_id"],
        account=ACCOUNT,
        template=asked["template_id"],
        owner=asked["owner_email"],
        created_at=made,
        updated_at=made,
        refreshed_at=made,
        version=version,
        title=filling.filled(checked, said, lambda: 1)["title"],
        missing=tuple(variables.missing(said, mentioned)),
        layout=creation.plain(checked),
        values=values(),
        overrides=overrides or {},
    )


def preview() -> Json:
    """What a preview of the template shows."""
    checked, mentioned = filling.checked(Layout, LAYOUT)
    filled = filling.filled(checked, values(), lambda: 1)
    missing = variables.missing(values(), mentioned)
    data = {"title": filled["title"], "html": PAGE, "blocks": filled["blocks"], "missing_variables": missing}
    return {"success": True, "data": data}


def links() -> Json:
    """What the request for a pod is answered."""
    return {"success": True, "data": creation.links(HERE, STORE, pod())}


def told(reply: Reply) -> Json:
    """What a reply says."""
    return json.loads(reply.body)


def shown(found: Pod) -> Json:
    """A pod as it is told in full."""
    return told(keeping.shown(HERE, STORE, found))


def page() -> Json:
    """What the search finds."""
    meta = {"cursor": {"next": None, "has_more": False}}
    return {"success": True, "data": [keeping.summary(HERE, STORE, pod())], "meta": meta}


def all_templates() -> Json:
    """The list of templates, without those that come with us."""
    whole = told(templates.shown(template()))["data"]
    return {"success": True, "data": [{name: part for name, part in whole.items() if name != "blocks"}]}
