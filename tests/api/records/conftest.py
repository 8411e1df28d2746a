"""A brand with contacts in the store, and how to ask for them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from switchboard.api.call import Call
from switchboard.api.records import contacts
from switchboard.api.reply import Reply, refusal
from switchboard.crm.problem import Problem
from switchboard.ports import Brand, Checkpoint, Owner, Services, Stored, User
from switchboard.search.keeping import Keeper, Whose, stored
from tests.worlds import BRAND, START, TRACE, MemoryAccess, World

TODAY = "2026-11-21"
"""The day of the world's clock."""


@dataclass
class Answer:
    """A reply, read."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.reply.headers

    @property
    def body(self) -> Any:
        return json.loads(self.reply.body)

    @property
    def faults(self) -> list[tuple[str, str]]:
        """Where what is wrong."""
        return [(each["pointer"], each["code"]) for each in self.body.get("errors", [])]

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.body["data"]]

    @property
    def cursor(self) -> str | None:
        return self.body["meta"]["cursor"]["next"]


class Sighted(MemoryAccess):
    """The same keys and users, and what members of a brand may see."""

    def __init__(self, other: MemoryAccess) -> None:
        vars(self).update(vars(other))
        self.sight: dict[str, Literal["all", "own"]] = {}

    def brand(self, brand: str) -> Brand:
        return replace(super().brand(brand), members_see=self.sight.get(brand, "all"))


@dataclass
class Desk:
    """The records surface of a world."""

    world: World
    key: str = ""
    access: "Sighted" = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.issue()
        self.access = Sighted(self.world.access)

    @property
    def services(self) -> Services:
        return replace(self.world.services, access=self.access)

    def issue(self, *scopes: str, role: str = "admin", brand: str = BRAND, owner: str = "user-1", **more: Any) -> str:
        return self.world.issue(scopes or ("contact.read",), role, brand=brand, owner=owner, **more)

    def sync(self, account: str, crm: str = "acme", brand: str = BRAND, **given: Any) -> None:
        """An account that was synced a minute ago."""
        told = Checkpoint(brand, account, crm, 1, synced_at=START - 60)
        self.world.contacts.points[brand, account] = replace(told, **given)

    def keep(self, remote_id: str = "1", account: str = "acc-1", brand: str = BRAND, **given: Any) -> Stored:
        """A contact of the store."""
        if (brand, account) not in self.world.contacts.points:
            self.sync(account, brand=brand)
        item = {"id": remote_id, "created_at": f"2026-05-01T12:00:{int(remote_id) % 60:02d}Z", **given}
        found = stored(Whose(brand, account, "acme"), item)
        Keeper(self.world.contacts, brand, START).keep([found])
        return found

    def own(self, account: str, owners: Mapping[str, Owner], brand: str = BRAND) -> None:
        self.world.contacts.named[brand, account] = dict(owners)

    def user(self, id: str, email: str, role: str, brand: str = BRAND) -> None:
        self.world.access.users.append((brand, User(id, email, role)))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        version: str | None = TODAY,
        **headers: str,
    ) -> Call:
        told = {"authorization": f"Bearer {self.key if key is None else key}", "content-type": "application/json"}
        if version is not None:
            told["version"] = version
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        return Call(method, path, "", told, content, TRACE)

    def answer(self, call: Call) -> Answer:
        try:
            if call.method == "GET":
                return Answer(contacts.get(call, self.services))
            return Answer(contacts.search(call, self.services, self.world.deadline))
        except Problem as problem:
            return Answer(refusal(call, problem))

    def search(self, body: Any = None, **how: Any) -> Answer:
        return self.answer(self.call("POST", "/v1/contacts/search", body, **how))

    def get(self, id: str, **how: Any) -> Answer:
        return self.answer(self.call("GET", f"/v1/contacts/{id}", **how))


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)
