"""Pods that are there: read, changed, removed, looked for, and read anew from the CRM."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from switchboard.api import cursor
from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.pods import creation, envelope, keyed
from switchboard.api.pods.creation import links
from switchboard.api.pods.envelope import Means, absent, answered, changed, fault, moment, strangers, success
from switchboard.api.reply import Reply
from switchboard.crm.problem import Fault, pointer
from switchboard.pods import filling, variables
from switchboard.pods.blocks import TEXT, Layout
from switchboard.pods.language import TextError
from switchboard.ports import Claim, Deadline, Pod, Services

ID_FORM = re.compile(r"[0-9a-f]{24}")
LAYOUT = ("title", "description", "language", "accent", "blocks")
CHANGES = (*LAYOUT, "variables", "owner_email")
FILTERS = ("crm_type", "crm_object", "crm_id", "template_id", "owner_email")
SEARCH = ("filters", "limit", "cursor")
PAGE, MOST = 25, 100
MOST_FILTERS = 20
MOST_OVERRIDES = 200
OVERRIDES_BYTES = 50_000
"""With the layout and what is kept of the record they have to fit into one item of a table."""


def get(call: Call, services: Services) -> Reply:
    """`GET /v1/pods/{id}`."""
    return answered(call, services, "pod", "read", lambda caller: shown(call, services, pod(call, services, caller)))


def delete(call: Call, services: Services) -> Reply:
    """`DELETE /v1/pods/{id}`: the pod and its page are gone at once."""

    def work(caller: Caller) -> Reply:
        id = pod_id(call)
        if not services.pods.delete(caller.brand, id):
            raise absent("Pod")
        return Reply(204)

    return answered(call, services, "pod", "delete", work)


def change(call: Call, services: Services, deadline: Deadline) -> Reply:
    """`PATCH /v1/pods/{id}`: a merge patch of its layout, its owner and what is said instead of the record's values."""

    def work(caller: Caller) -> Reply:
        body = call.json()
        id, seen = pod_id(call), envelope.version(call)
        faults = strangers(body, CHANGES)
        said = overrides(body.get("variables"), faults)
        given = {name: value for name, value in body.items() if name in LAYOUT}
        if not body:
            faults.append(fault("", "required", f"the body says nothing; it may hold {', '.join(CHANGES)}"))
        if faults:
            raise filling.refused(faults)
        found = found_pod(services, caller, id)
        if seen not in (None, found.version):
            raise changed()
        owner = None
        if email := _email(body):
            owner = creation.owned(services, caller, services.access.brand(caller.brand), email)
        layout = _merged(found.layout, given)
        kept = {name: value for name, value in {**found.overrides, **said}.items() if value is not None}
        if len(kept) > MOST_OVERRIDES or len(json.dumps(kept, ensure_ascii=False).encode()) > OVERRIDES_BYTES:
            detail = f"are more than {MOST_OVERRIDES}, or more than {OVERRIDES_BYTES} bytes, with those there were"
            raise filling.refused([fault("variables", "too_large", detail)])
        now = int(services.clock.now())
        newer = replace(
            found,
            layout=layout,
            overrides=kept,
            owner=owner.email if owner else found.owner,
            updated_at=now,
            version=found.version + 1,
        )
        address = links(call, services, found)["live_url"]
        return shown(call, services, creation.stored(newer, services, address, deadline, seen=found.version))

    return answered(call, services, "pod", "write", work)


def refresh(call: Call, means: Means) -> Reply:
    """`POST /v1/pods/{id}/refresh`: the record is read anew; what is said instead of it stays."""
    services = means.services

    def work(caller: Caller) -> Reply:
        id = pod_id(call)

        def done(_request: str, _doubt: Claim | None) -> Reply:
            found = found_pod(services, caller, id)
            brand = services.access.brand(caller.brand)
            return shown(call, services, creation.refreshed(call, means, found, brand))

        return keyed.run(call, caller, keyed.machine(services, means.deadline), {}, done)

    return answered(call, services, "pod", "write", work)


def search(call: Call, services: Services) -> Reply:
    """`POST /v1/pods/search`: newest first."""

    def work(caller: Caller) -> Reply:
        body = call.json()
        faults = strangers(body, SEARCH)
        where, limit = _filters(body.get("filters"), faults), _limit(body.get("limit"), faults)
        bound = [caller.brand, "pods", sorted(where.items())]
        given = body.get("cursor")
        if given is not None and not isinstance(given, str):
            faults.append(fault("cursor", "wrong_type", "has to be a string"))
        if faults:
            raise filling.refused(faults)
        position = cursor.unseal(services.secrets.signing(), bound, given, "cursor")["before"] if given else None
        found, rest = services.pods.search(caller.brand, where, before=position, limit=limit)
        following = cursor.seal(services.secrets.signing(), bound, {"before": rest}) if rest else None
        meta: dict[str, Any] = {"cursor": {"next": following, "has_more": following is not None}}
        if rest and not found:
            meta["partial"] = True
        return success([summary(call, services, each) for each in found], meta=meta)

    return answered(call, services, "pod", "read", work)


def pod_id(call: Call) -> str:
    """The id in the path; one that no pod has is not found."""
    id = call.path.removeprefix("/v1/pods/").partition("/")[0]
    if not ID_FORM.fullmatch(id):
        raise absent("Pod")
    return id


def pod(call: Call, services: Services, caller: Caller) -> Pod:
    """The pod that the path names."""
    return found_pod(services, caller, pod_id(call))


def found_pod(services: Services, caller: Caller, id: str) -> Pod:
    """The pod of that id in the caller's brand."""
    found = services.pods.pod(caller.brand, id)
    if found is None:
        raise absent("Pod")
    return found


def shown(call: Call, services: Services, found: Pod) -> Reply:
    """A pod in full, with its version as the ETag."""
    layout, mentioned = filling.checked(Layout, found.layout)
    values = variables.laid_over(found.values, found.overrides)
    told = {str(each): variables.value(values, each) for each in sorted(mentioned, key=str)}
    read = {name: variables.value(found.values, variables.named(name)) for name in found.overrides}
    data = {
        **summary(call, services, found),
        **{name: value for name, value in layout.model_dump().items() if name in LAYOUT},
        "variables": {**found.overrides, **told},
        "overridden": sorted(found.overrides),
        "record_values": {name: read[name] for name in sorted(read)},
    }
    return success(data, {"etag": f'"{found.version}"'})


def summary(call: Call, services: Services, found: Pod) -> dict[str, Any]:
    """A pod as a list tells of it; its title is filled in."""
    return {
        **links(call, services, found),
        "title": found.title,
        "crm_type": found.crm,
        "crm_object": found.object,
        "crm_id": found.crm_id,
        "integrated_account_id": found.account,
        "template_id": found.template,
        "owner_email": found.owner,
        "missing_variables": list(found.missing),
        "version": found.version,
        "created_at": moment(found.created_at),
        "updated_at": moment(found.updated_at),
        "refreshed_at": moment(found.refreshed_at),
    }


def overrides(given: Any, faults: list[Fault]) -> dict[str, str | None]:
    """What is to be said instead of the record's values; None takes that back."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        faults.append(fault("variables", "wrong_type", "has to be an object"))
        return {}
    if len(given) > MOST_OVERRIDES:
        faults.append(fault("variables", "too_long", f"has more than {MOST_OVERRIDES} members"))
        return {}
    found: dict[str, str | None] = {}
    for name, value in given.items():
        where = pointer("variables", name)
        try:
            mention = variables.named(name)
        except TextError as wrong:
            faults.append(Fault(f"variables.{name}", "unknown_field", str(wrong), where))
            continue
        if value is not None and (isinstance(value, bool) or not isinstance(value, str | int | float)):
            faults.append(Fault(f"variables.{name}", "wrong_type", "has to be a string, a number or null", where))
        elif value is not None and len(str(value)) > TEXT:
            faults.append(Fault(f"variables.{name}", "too_long", f"has more than {TEXT} characters", where))
        else:
            found[str(mention)] = None if value is None else str(value)
    return found


def _merged(layout: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A layout with parts of it replaced, checked; a part that is null is as if it had never been said."""
    merged = {name: value for name, value in {**layout, **given}.items() if value is not None}
    checked, _ = filling.checked(Layout, merged)
    return checked.model_dump()


def _email(body: Mapping[str, Any]) -> str:
    """Who is to own the pod; empty where the body says nothing of it."""
    given = body.get("owner_email", "")
    if not isinstance(given, str) or ("owner_email" in body and "@" not in given):
        raise filling.refused([fault("owner_email", "invalid_value", "has to be an e-mail address")])
    return given


def _limit(given: Any, faults: list[Fault]) -> int:
    if given is None:
        return PAGE
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MOST:
        faults.append(fault("limit", "out_of_range", f"has to be a whole number from 1 to {MOST}"))
        return PAGE
    return given


def _filters(given: Any, faults: list[Fault]) -> dict[str, str]:
    """Conditions as the records surface writes them; all have to hold, and each is about a different field."""
    if given is None:
        return {}
    if not isinstance(given, list) or len(given) > MOST_FILTERS:
        faults.append(fault("filters", "wrong_type", f"has to be an array of at most {MOST_FILTERS}"))
        return {}
    found: dict[str, str] = {}
    for index, each in enumerate(given):
        name = f"filters[{index}]"
        field = each.get("field") if isinstance(each, dict) else None
        if field not in FILTERS:
            faults.append(fault(f"{name}.field", "unknown_value", f"has to be one of {', '.join(FILTERS)}"))
        elif field in found:
            faults.append(fault(f"{name}.field", "duplicate", "is looked at twice"))
        elif each.get("operator") != "eq":
            faults.append(fault(f"{name}.operator", "unknown_value", "has to be eq"))
        elif not isinstance(each.get("value"), str) or not each["value"]:
            faults.append(fault(f"{name}.value", "wrong_type", "has to be a string"))
        else:
            found[str(field)] = each["value"]
    return found
