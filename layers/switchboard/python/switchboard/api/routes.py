"""The routes of the API. template.yaml has to say the same; a test compares."""

import re

from switchboard.api.call import Call
from switchboard.crm.problem import Kind, Problem
from switchboard.models import MODULES


def _unified(plural: str, name: str) -> dict[str, dict[str, str]]:
    return {
        f"/unified/crm/{plural}": {"GET": "list_records", "POST": f"create_{name}"},
        f"/unified/crm/{plural}/{{id}}": {"GET": "get_record", "DELETE": "delete_record"},
    }


ROUTES: dict[str, dict[str, str]] = {
    path: methods for plural, name in MODULES.items() for path, methods in _unified(plural, name).items()
} | {"/unified/crm/capabilities": {"GET": "list_capabilities"}}
"""Path, method, and the folder of the function that answers."""

PATTERNS = {re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path))): path for path in ROUTES}


def unknown(call: Call) -> Problem:
    """Why no function answered: the path is not one of ours, or it is and the method is not."""
    path = next((path for pattern, path in PATTERNS.items() if pattern.fullmatch(call.path)), None)
    if path is None:
        return Problem(Kind.NOT_FOUND, "There is no such path.")
    allowed = ", ".join(ROUTES[path])
    return Problem(Kind.METHOD, f"{path} takes {allowed}.", headers={"allow": allowed})
