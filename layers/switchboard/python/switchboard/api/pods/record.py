"""The CRM's record that a pod is about: which one a request names, and what is read of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from switchboard.api.call import Call
from switchboard.api.pods.envelope import Means, fault, text
from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Resource
from switchboard.crm.problem import Fault, Kind, Problem
from switchboard.models.values import ID
from switchboard.pods import filling, subject
from switchboard.pods.subject import Wanted
from switchboard.ports import Account, Brand, Pod
from switchboard.talks.line import Line

ID_FORM = re.compile(ID)
FIELDS = ("crm_type", "crm_object", "crm_id", "integrated_account_id")


@dataclass(frozen=True, slots=True)
class Subject:
    """A record of a CRM as a caller names it."""

    crm: CRM
    object: str
    id: str
    account_id: str = ""

    @property
    def resource(self) -> Resource:
        """What kind of record it is to us."""
        found = self.crm.resources[self.crm.pods[self.object]]
        if not isinstance(found, Resource):
            raise TypeError(f"{self.crm.name} makes pods of {self.object}, and has no such resource")
        return found


def named(body: Mapping[str, Any], faults: list[Fault]) -> Subject | None:
    """The record that a body names; None where it names none that could be, and then the faults say why."""
    before = len(faults)
    crm_type = text(body, "crm_type", faults)
    if crm_type and crm_type not in registry.NAMES:
        faults.append(fault("crm_type", "unknown_value", f"has to be one of {', '.join(registry.NAMES)}"))
    crm = registry.load(crm_type) if crm_type in registry.NAMES else None
    kind = text(body, "crm_object", faults)
    if kind and crm and kind not in crm.pods:
        valid = ", ".join(crm.pods)
        faults.append(fault("crm_object", "unknown_value", f"has to be one of {valid} for {crm_type}"))
    id = text(body, "crm_id", faults)
    if id and not ID_FORM.fullmatch(id):
        faults.append(fault("crm_id", "malformed_id", "is not an id"))
    account = text(body, "integrated_account_id", faults, required=False)
    if account and not _is_uuid(account):
        faults.append(fault("integrated_account_id", "wrong_type", "has to be a UUID"))
    if crm is None or len(faults) > before:
        return None
    return Subject(crm, kind, id, account.lower())


def _is_uuid(written: str) -> bool:
    try:
        return len(written) == 36 and bool(UUID(written))
    except ValueError:
        return False


def account(brand: Brand, record: Subject) -> Account:
    """The brand's account of the CRM: the one that is named, else the oldest that works, else the oldest."""
    able = [each for each in brand.accounts if each.crm == record.crm.name]
    if record.account_id:
        able = [each for each in able if each.id == record.account_id]
    if not able:
        name = "integrated_account_id" if record.account_id else "crm_type"
        sentence = f"No {record.crm.name} integration found"
        raise Problem(Kind.INVALID, sentence, faults=(fault(name, "not_connected", sentence),))
    return next((each for each in able if each.status == "active"), able[0])


def again(pod: Pod, brand: Brand) -> tuple[Subject, Account]:
    """The record that a pod was made from, and the account that it was read through."""
    record = Subject(registry.load(pod.crm), pod.object, pod.crm_id, pod.account)
    return record, account(brand, record)


def values(call: Call, record: Subject, wanted: Wanted, held: Account, means: Means) -> dict[str, Any]:
    """What the variables stand for. Raises what the CRM says, in this surface's words; notes how often it was asked."""
    line = Line(means.services, means.tokens, record.crm, held, means.deadline)
    try:
        line.knock()
        found = line.hold(subject.read(record.crm, record.resource, record.id, wanted))
    except Problem as problem:
        line.note(problem)
        raise told(problem, record) from None
    finally:
        call.notes.update(account=held.id, crm=held.crm, crm_calls=line.calls)
    line.note()
    return found


def told(problem: Problem, record: Subject) -> Problem:
    """A CRM's refusal as this surface puts it."""
    match problem.kind:
        case Kind.CRM_NOT_FOUND:
            problem.told = "CRM record not found"
        case Kind.CRM_BAD_ID:
            detail = f"is not an id of {record.crm.title}'s {record.object}"
            return filling.refused([fault("crm_id", "malformed_id", detail)])
        case Kind.NEEDS_REAUTH:
            problem.told = f"The {record.crm.name} integration needs to be reconnected"
        case _:
            pass
    return problem
