"""The routes of the API. template.yaml has to say the same; a test compares."""

import re

from switchboard.api.call import Call
from switchboard.crm.problem import Kind, Problem
from switchboard.models import MODULES
from switchboard.models.schema import Verb, verbs

ITEM = ("get", "delete")
"""What is done with one record, at a path of its own."""
METHODS: dict[Verb, str] = {"list": "GET", "create": "POST", "get": "GET", "delete": "DELETE"}


def _unified(plural: str, name: str) -> dict[str, dict[str, str]]:
    functions = {"list": "list_records", "create": f"create_{name}", "get": "get_record", "delete": "delete_record"}
    found: dict[str, dict[str, str]] = {}
    for verb, method in METHODS.items():
        if verb in verbs(plural):
            path = f"/unified/crm/{plural}" + ("/{id}" if verb in ITEM else "")
            found.setdefault(path, {})[method] = functions[verb]
    return found


PODS = {
    "/v1/pods": {"POST": "create_pod"},
    "/api/v1/pods/new": {"POST": "create_pod"},
    "/v1/pods/search": {"POST": "manage_pods"},
    "/v1/pods/{id}": {"GET": "manage_pods", "PATCH": "manage_pods", "DELETE": "manage_pods"},
    "/v1/pods/{id}/refresh": {"POST": "refresh_pod"},
    "/v1/templates": {"GET": "manage_templates", "POST": "manage_templates"},
    "/v1/templates/{id}": {"GET": "manage_templates", "PATCH": "manage_templates", "DELETE": "manage_templates"},
    "/v1/templates/{id}/preview": {"POST": "preview_template"},
    "/pods/{id}/live": {"GET": "view_pod"},
    "/pods/edit/{id}": {"GET": "view_pod"},
    "/pods/assets/{file}": {"GET": "view_pod"},
}

RECORDS = {
    "/v1/contacts/search": {"POST": "search_contacts"},
    "/v1/contacts/{id}": {"GET": "search_contacts"},
}

ROUTES: dict[str, dict[str, str]] = {
    **{path: methods for plural, name in MODULES.items() for path, methods in _unified(plural, name).items()},
    "/unified/crm/capabilities": {"GET": "list_capabilities"},
    **PODS,
    **RECORDS,
}
"""Path, method, and the folder of the function that answers."""

PATTERNS = {re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))): path for path in ROUTES}
"""Paths as they are recognised; one with a word stands before one that would take any word there."""


def unknown(call: Call) -> Problem:
    """Why no function answered: the path is not one of ours, or it is and the method is not."""
    path = next((path for pattern, path in PATTERNS.items() if pattern.fullmatch(call.path)), None)
    if path is None:
        return Problem(Kind.NOT_FOUND, "There is no such path.")
    allowed = ", ".join(ROUTES[path])
    return Problem(Kind.METHOD, f"{path} takes {allowed}.", headers={"allow": allowed})
