"""The conversations that no route offers yet, held with the fake CRMs: lists, changes, removals."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from switchboard.app import SystemClock
from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.dialect import Page
from switchboard.crm.wire import Talk
from switchboard.ports import Deadline
from switchboard.sender import Sender
from tests.local.tenant import LEADS, Vendor
from tests.sandbox import Sandbox


@dataclass(frozen=True)
class Partner:
    """A fake CRM and a line to it, without anything of ours in between but the sender."""

    name: str
    vendor: Vendor
    credentials: Mapping[str, Any]
    send: Sender

    @property
    def resource(self) -> Resource:
        found = registry.load(self.name).resources["leads"]
        assert isinstance(found, Resource)
        return found

    def hold[T](self, talk: Talk[T]) -> T:
        scheme = registry.load(self.name).auth["oauth2"]
        clock = SystemClock()
        try:
            request = next(talk)
            while True:
                signed = replace(request, headers={**request.headers, **scheme.sign(self.credentials)})
                request = talk.send(self.send(signed, self.vendor.url, Deadline(clock.now() + 10, clock)))
        except StopIteration as end:
            return end.value

    def create(self) -> str:
        dialect = registry.load(self.name).dialect
        draft = dialect.draft(self.resource, LEADS[self.name](self.vendor.plant))
        return self.hold(dialect.create(self.resource, draft)).item["id"]

    def listed(self, since: datetime | None, limit: int) -> list[str]:
        """Ids of all pages; a list that never ends fails."""
        dialect, cursor, found = registry.load(self.name).dialect, None, list[str]()
        for _ in range(50):
            page: Page = self.hold(dialect.list(self.resource, since=since, cursor=cursor, limit=limit))
            found += [answer.item["id"] for answer in page.answers]
            if page.cursor is None:
                return found
            cursor = page.cursor
        raise AssertionError("the list does not end")


@pytest.fixture(scope="module", params=sorted(LEADS))
def partner(request: pytest.FixtureRequest) -> Iterator[Partner]:
    with Sandbox((request.param,)) as sandbox:
        vendor = Vendor(sandbox.urls[request.param])
        if "search_lag" in vendor.control("GET", "settings"):
            vendor.control("POST", "settings", {"search_lag": 0.0})
        sender = Sender(SystemClock())
        yield Partner(request.param, vendor, vendor.grant(), sender)
        sender.close()


def test_a_list_gives_every_record_once_page_by_page(partner: Partner) -> None:
    made = {partner.create() for _ in range(5)}

    found = partner.listed(None, limit=2)

    assert made <= set(found)
    assert len(found) == len(set(found))


def test_a_list_since_a_moment_gives_what_changed_since(partner: Partner) -> None:
    before = {partner.create() for _ in range(2)}
    time.sleep(1.1)  # vendors keep whole seconds
    moment = datetime.now(UTC).replace(microsecond=0)
    after = {partner.create() for _ in range(3)}

    found = partner.listed(moment, limit=2)

    assert after <= set(found)
    assert before.isdisjoint(found)


def test_what_is_deleted_is_gone(partner: Partner) -> None:
    dialect, gone, stays = registry.load(partner.name).dialect, partner.create(), partner.create()

    partner.hold(dialect.delete(partner.resource, gone))

    found = partner.listed(None, limit=100)
    assert stays in found
    assert gone not in found


def test_a_crm_that_lists_its_deletions_lists_this_one(partner: Partner) -> None:
    dialect, moment = registry.load(partner.name).dialect, datetime.now(UTC) - timedelta(seconds=5)
    made = partner.create()
    partner.hold(dialect.delete(partner.resource, made))

    told = partner.hold(dialect.deleted(partner.resource, since=moment))

    if partner.name == "pipedrive":
        assert told is None, "leads have no list of deletions there"
    else:
        assert told is not None
        assert made in told.ids
