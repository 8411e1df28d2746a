"""The routes of the API. template.yaml has to say the same; a test compares."""

from switchboard.api.call import Call
from switchboard.crm.problem import Kind, Problem

ROUTES: dict[str, dict[str, str]] = {
    "/unified/crm/leads": {"POST": "create_lead"},
}
"""Path, method, and the folder of the function that answers."""


def unknown(call: Call) -> Problem:
    """Why no function answered: the path is not one of ours, or it is and the method is not."""
    methods = ROUTES.get(call.path)
    if methods is None:
        return Problem(Kind.NOT_FOUND, "There is no such path.")
    allowed = ", ".join(methods)
    return Problem(Kind.METHOD, f"{call.path} takes {allowed}.", headers={"allow": allowed})
