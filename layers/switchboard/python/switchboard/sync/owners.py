"""Who owns contacts at an account: learnt from its records, looked up where these tell an id alone, asked for anew."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Answer
from switchboard.crm.problem import Kind, Problem
from switchboard.crm.wire import dig
from switchboard.ports import Checkpoints, Owner
from switchboard.talks.line import Line

OWNERS = 4_000
"""So many owners of an account are known: they are one item of the table, and each search reads all of them."""
REFRESHED = 200
"""So many of them are asked for anew in a day."""


@dataclass(slots=True)
class Owners:
    """The owners of one account, by their ids at the CRM, for as long as one turn lasts."""

    line: Line
    checkpoints: Checkpoints
    known: dict[str, Owner] = field(default_factory=dict[str, Owner])
    learnt: bool = False

    def load(self) -> None:
        """Those that are known so far."""
        account = self.line.account
        self.known = self.checkpoints.owners(account.brand, account.id).get(account.id, {})

    def refresh(self, last: str, least: float) -> str:
        """Ask for owners anew, as many as there is time for, from where it ended the last time; where it ended now.

        least: seconds of the deadline that are kept for the walk.
        """
        ids = sorted(self.known)
        start = bisect_right(ids, last)
        for id in [*ids[start:], *ids[:start]][:REFRESHED]:
            if self.line.deadline.left < least:
                break
            try:
                told = self._owner(id)
            except Problem:
                break  # names can wait; what is the matter with the CRM shows in what is asked next
            if told is not None:
                self.known[id], self.learnt = told, True
            last = id
        self._know()
        return last

    def learn(self, answers: Sequence[Answer], least: float) -> bool:
        """Owners that these records tell of; who is known by id alone is looked up once. False if there was no time for
        all of them; those that were learnt are kept."""
        try:
            for answer in answers:
                id, name = dig(answer.item, "owner.id"), dig(answer.item, "owner.name")
                known = self.known.get(id)
                if id is None or (known is None and len(self.known) >= OWNERS):
                    continue
                told = Owner(name, dig(answer.item, "owner.email")) if name else None
                if told and (known or told.email):
                    found = Owner(told.name, told.email or (known.email if known else None))
                elif known is None:
                    if self.line.deadline.left < least / 2:
                        return False
                    found = self._owner(id)  # also of one whose address is not told here
                    found = Owner(told.name, found.email if found else None) if told else found or Owner()
                else:
                    continue
                self.learnt |= found != known
                self.known[id] = found
        finally:
            self._know()
        return True

    def _owner(self, id: str) -> Owner | None:
        """What the CRM tells of a user; None where we may not ask."""
        users = self.line.crm.resources.get("users")
        if not isinstance(users, Resource):
            return None
        try:
            item = self.line.hold(self.line.crm.dialect.get(users, id)).item
        except Problem as problem:
            if problem.kind is Kind.CRM_FORBIDDEN:
                return None
            if problem.kind not in (Kind.CRM_NOT_FOUND, Kind.CRM_BAD_ID, Kind.CRM_REJECTED):
                raise
            return Owner()
        return Owner(item.get("name"), item.get("email"))

    def _know(self) -> None:
        if self.learnt:
            self.checkpoints.know(self.line.account.brand, self.line.account.id, self.known)
            self.learnt = False
