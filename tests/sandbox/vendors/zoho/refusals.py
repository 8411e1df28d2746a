"""Zoho's errors: `{code, details, message, status}`, at the top of the body or once for each record.

https://www.zoho.com/crm/developer/docs/api/v8/status-codes.html
"""

from typing import Any

from tests.sandbox.exchange import Answer, Json, RefusalError

type Fault = dict[str, Json]


def fault(code: str, message: str, **details: Json) -> Fault:
    return {"code": code, "details": details, "message": message, "status": "error"}


def at(path: str, name: str, **more: Json) -> dict[str, Json]:
    """The details that name a member of the body; `path` is what it lies in."""
    return {"api_name": name, "json_path": f"{path}.{name}", **more}


def refused(what: Fault, status: int = 400, within: str | None = None) -> RefusalError:
    """Ends the request; `within` is the array that an error of one entry lies in."""
    return RefusalError(Answer(status, {within: [what]} if within else what))


def bad_parameter(name: str, message: str = "invalid data") -> RefusalError:
    return refused(fault("INVALID_DATA", message, param_name=name))


def parameter_missing(name: str) -> RefusalError:
    return refused(fault("REQUIRED_PARAM_MISSING", "required param is missing", param_name=name))


def invalid_module(**details: Json) -> Fault:
    return fault("INVALID_MODULE", "the module name given seems to be invalid", **details)


def bad_id(index: int, message: str = "the id given seems to be invalid") -> RefusalError:
    """Zoho's not-found: a 400 that says which part of the path is wrong."""
    return refused(fault("INVALID_DATA", message, resource_path_index=index))


def mandatory(path: str, name: str, **more: Json) -> Fault:
    return fault("MANDATORY_NOT_FOUND", "required field not found", **at(path, name, **more))


def combined(faults: list[Fault]) -> Fault:
    """One fault of a record stands for itself; several are listed."""
    if len(faults) == 1:
        return faults[0]
    return fault("MULTIPLE_OR_MULTI_ERRORS", "Multiple errors in the request", errors=faults)


def success(message: str, details: dict[str, Json], **more: Json) -> dict[str, Json]:
    return {"code": "SUCCESS", **more, "details": details, "message": message, "status": "success"}


def outcome(results: list[dict[str, Any]], good: int, name: str = "data") -> Answer:
    """`good` when every entry went well, 207 when some did, 400 (or 412) when none did."""
    failed = [one for one in results if one["status"] == "error"]
    if not failed:
        return Answer(good, {name: results})
    if len(failed) < len(results):
        return Answer(207, {name: results})
    outdated = all(one["code"] == "ALREADY_MODIFIED" for one in failed)
    return Answer(412 if outdated else 400, {name: results})
