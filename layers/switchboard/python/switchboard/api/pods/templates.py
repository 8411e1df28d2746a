"""Templates: what pods are made from. A brand's own are made and changed here; some come with us and are only read."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.pods import creation, envelope, keyed, record
from switchboard.api.pods.envelope import Means, absent, answered, changed, fault, moment, strangers, success
from switchboard.api.reply import Reply
from switchboard.crm.problem import Fault, pointer
from switchboard.pods import filling, page, starters, variables
from switchboard.pods.blocks import Layout, TemplateInput
from switchboard.ports import Claim, Deadline, Services, Template

PREVIEW = (*record.FIELDS, "values")
DEPTH = 8
"""Records nest no deeper."""


def create(call: Call, services: Services, deadline: Deadline) -> Reply:
    """`POST /v1/templates`."""

    def work(caller: Caller) -> Reply:
        body = call.json()
        checked, _ = filling.checked(TemplateInput, body)

        def made(request: str, doubt: Claim | None) -> Reply:
            now = int(services.clock.now())
            id = f"{now:08x}{services.word()}"
            if request:  # the same request makes the same id: what an earlier run of it has stored is found
                id = hmac.digest(services.secrets.signing(), request.encode(), sha256).hex()[:24]
                if doubt and (found := services.templates.template(caller.brand, id)):
                    return shown(found, 201)
            template = Template(caller.brand, id, checked.name, creation.plain(checked), now, now)
            if not services.templates.put_template(template, seen=None):  # the key was used before, long ago
                template = replace(template, id=f"{now:08x}{services.word()}")
                services.templates.put_template(template, seen=None)
            return shown(template, 201)

        return keyed.run(call, caller, keyed.machine(services, deadline), body, made)

    return answered(call, services, "template", "write", work)


def list_(call: Call, services: Services) -> Reply:
    """`GET /v1/templates`: a brand's own, newest first, then those that come with us; without their blocks."""

    def work(caller: Caller) -> Reply:
        own = sorted(services.templates.templates(caller.brand), key=lambda each: each.created_at, reverse=True)
        whole = [_told(each) for each in own] + [_starter(id) for id in starters.load()]
        return success([{name: value for name, value in each.items() if name != "blocks"} for each in whole])

    return answered(call, services, "template", "read", work)


def get(call: Call, services: Services) -> Reply:
    """`GET /v1/templates/{id}`."""

    def work(caller: Caller) -> Reply:
        id = template_id(call)
        if id in starters.load():
            return success(_starter(id))
        return shown(_found(services, caller, id))

    return answered(call, services, "template", "read", work)


def change(call: Call, services: Services) -> Reply:
    """`PATCH /v1/templates/{id}`: a merge patch. Pods that were made from it stay as they are."""

    def work(caller: Caller) -> Reply:
        id, body, seen = template_id(call), call.json(), envelope.version(call)
        _own(id)
        if not body:
            raise filling.refused([fault("", "required", "the body says nothing")])
        found = _found(services, caller, id)
        if seen not in (None, found.version):
            raise changed()
        merged = {"name": found.name, **found.layout, **body}
        given = {name: value for name, value in merged.items() if value is not None}
        checked, _ = filling.checked(TemplateInput, given)
        newer = replace(
            found,
            name=checked.name,
            layout=creation.plain(checked),
            updated_at=int(services.clock.now()),
            version=found.version + 1,
        )
        if not services.templates.put_template(newer, seen=found.version):
            raise changed()
        return shown(newer)

    return answered(call, services, "template", "write", work)


def delete(call: Call, services: Services) -> Reply:
    """`DELETE /v1/templates/{id}`. Pods that were made from it stay."""

    def work(caller: Caller) -> Reply:
        id = template_id(call)
        _own(id)
        if not services.templates.delete_template(caller.brand, id):
            raise absent("Template")
        return Reply(204)

    return answered(call, services, "template", "delete", work)


def preview(call: Call, means: Means) -> Reply:
    """`POST /v1/templates/{id}/preview`: what a pod would show of a CRM's record, of values that are given, or of
    ours. Nothing is stored."""
    services = means.services

    def work(caller: Caller) -> Reply:
        body = call.json()
        given, faults = body.get("values"), strangers(body, PREVIEW)
        about = record.named(body, faults) if any(name in body for name in record.FIELDS) else None
        if given is not None:
            _check_values(given, faults)
            if any(name in body for name in record.FIELDS):
                faults.append(fault("values", "conflict", "is given beside a record; one of them is enough"))
        if faults:
            raise filling.refused(faults)
        account = record.account(services.access.brand(caller.brand), about) if about else None
        template = creation.template(services, caller.brand, template_id(call))
        values: Mapping[str, Any]
        if about and account:
            values = creation.read(call, means, about, account, template.mentioned)
        else:
            chosen: Mapping[str, Any] = starters.sample() if given is None else given
            values = {name: variables.spoken(each) for name, each in chosen.items()}
        shown = filling.filled(template.layout, values, lambda: means.deadline.left)
        html = page.live({**shown, "id": "", "url": ""})
        missing = variables.missing(values, template.mentioned)
        data = {"title": shown["title"], "html": html, "blocks": shown["blocks"], "missing_variables": missing}
        return success(data)

    return answered(call, services, "template", "read", work)


def template_id(call: Call) -> str:
    """The id in the path; one that no template has is not found."""
    id = call.path.removeprefix("/v1/templates/").partition("/")[0]
    if not 0 < len(id) <= creation.TEMPLATE_ID:
        raise absent("Template")
    return id


def shown(template: Template, status: int = 200) -> Reply:
    """A template, with its version as the ETag."""
    headers = {"etag": f'"{template.version}"'}
    if status == 201:
        headers["location"] = f"/v1/templates/{template.id}"
    return replace(success(_told(template), headers), status=status)


def _told(template: Template) -> dict[str, Any]:
    _, mentioned = filling.checked(Layout, template.layout)
    return {
        "id": template.id,
        "name": template.name,
        "starter": False,
        **template.layout,
        "variables": sorted(map(str, mentioned)),
        "version": template.version,
        "created_at": moment(template.created_at),
        "updated_at": moment(template.updated_at),
    }


def _starter(id: str) -> dict[str, Any]:
    found = starters.load()[id]
    layout, mentioned = filling.checked(Layout, creation.layout_of(found))
    return {
        "id": id,
        "name": found["name"],
        "starter": True,
        **layout.model_dump(),
        "variables": sorted(map(str, mentioned)),
    }


def _found(services: Services, caller: Caller, id: str) -> Template:
    found = services.templates.template(caller.brand, id)
    if found is None:
        raise absent("Template")
    return found


def _own(id: str) -> None:
    """Raise that a template which comes with us is not to be changed."""
    if id in starters.load():
        detail = "comes with Switchboard and cannot be changed; send what it says as a template of your own"
        raise filling.refused([fault("id", "read_only", detail)])


def _check_values(given: Any, faults: list[Fault]) -> None:
    roots = (*variables.ROOTS, variables.VENDOR)
    if not isinstance(given, dict):
        faults.append(fault("values", "wrong_type", "has to be an object"))
        return
    for name, value in given.items():
        where = pointer("values", name)
        if name not in roots:
            faults.append(Fault(f"values.{name}", "unknown_field", f"has to be one of {', '.join(roots)}", where))
        elif not isinstance(value, dict):
            faults.append(Fault(f"values.{name}", "wrong_type", "has to be an object", where))
        elif _deeper(value, DEPTH):
            faults.append(Fault(f"values.{name}", "too_deep", f"nests deeper than {DEPTH}", where))


def _deeper(value: Any, depth: int) -> bool:
    """Whether a value nests deeper than so far."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_deeper(each, depth - 1) for each in inner)
