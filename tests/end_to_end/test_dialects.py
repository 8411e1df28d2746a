"""Every conversation that a CRM declares, held with its fake: made, read back, listed, found again, removed.

Nothing of ours lies in between but the sender. What the fake would refuse fails here; what it answers is bent as well:
a conversation has to end in a result or in a Problem, whatever a vendor says.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Response, Talk, dig
from tests.crm.samples import bent, words
from tests.local.partner import Partner

SEEDS = 25
"""So often each answer of a conversation is bent."""


DECLARED = {
    f"{name}-{plural}": (name, resource)
    for name in registry.NAMES
    for plural, resource in registry.load(name).resources.items()
    if isinstance(resource, Resource)
}


def with_verbs(*verbs: str, changes: bool = False) -> pytest.MarkDecorator:
    """The resources of all CRMs that offer these."""
    chosen = {
        id: each
        for id, each in DECLARED.items()
        if set(verbs) <= set(each[1].verbs) and (each[1].changes or not changes)
    }
    return pytest.mark.parametrize("partner", chosen.values(), ids=chosen, indirect=True)


@with_verbs("create", "get")
def test_what_was_made_is_read_back_as_it_was_told(partner: Partner) -> None:
    item, draft = partner.draft()

    made = partner.hold(partner.crm.dialect.create(partner.resource, draft))

    assert not made.partial
    read = partner.hold(partner.crm.dialect.get(partner.resource, made.item["id"]))
    assert read.item == made.item
    assert set(read.item) <= set(partner.resource.table.schema.readable)
    for row in partner.resource.table.rows:
        if row.key and (given := dig(item, row.ours)) is not None:
            told = dig(read.item, row.ours)
            assert told == given or isinstance(given, list), row.ours


@with_verbs("create")
def test_one_request_that_is_not_safe_makes_it(partner: Partner) -> None:
    """Retries and doubts rest on this: there is one moment from which on the outcome is unknown."""
    _, draft = partner.draft()
    partner.hold(partner.crm.dialect.create(partner.resource, draft))
    assert len([request for request in partner.requests if not request.safe]) == 1


@with_verbs("create")
def test_a_create_that_is_not_answered_in_full_still_tells_the_id(partner: Partner) -> None:
    _, draft = partner.draft()
    made = partner.hold(partner.crm.dialect.create(partner.resource, draft, whole=False))
    assert made.item["id"]
    assert isinstance(made.item["id"], str)


@with_verbs("create")
def test_what_was_made_is_found_again_and_nothing_else_is(partner: Partner) -> None:
    dialect, since = partner.crm.dialect, datetime.now(UTC) - timedelta(seconds=30)
    _, draft = partner.draft()
    _, other = partner.draft()
    other = replace(other, body=renamed(other.body))
    assert partner.hold(dialect.find(partner.resource, draft, since)) is None

    made = partner.hold(dialect.create(partner.resource, draft)).item["id"]

    assert partner.hold(dialect.find(partner.resource, draft, since)) == made
    assert partner.hold(dialect.find(partner.resource, other, since)) is None


def renamed(body: Any) -> Any:
    """The same body about somebody else; ids stay, so that what it refers to exists."""
    match body:
        case dict():
            return {name: renamed(value) for name, value in body.items()}
        case list():
            return [renamed(each) for each in body]
        case str() if " " in body or "@" in body or body.istitle():
            return "Other" + body
        case _:
            return body


@with_verbs("create", "list")
def test_a_list_gives_every_record_once_page_by_page(partner: Partner) -> None:
    made = {partner.create() for _ in range(5)}

    found = partner.listed(None, limit=2)

    assert made <= set(found)
    assert len(found) == len(set(found))


@with_verbs("list", "get")
def test_what_is_listed_can_be_read(partner: Partner) -> None:
    if "create" in partner.verbs:
        partner.create()
    else:
        partner.sample.story(partner.vendor.plant)
    page = partner.hold(partner.crm.dialect.list(partner.resource, limit=3))
    assert page.answers, "the fake has none to list"
    for answer in page.answers:
        read = partner.hold(partner.crm.dialect.get(partner.resource, answer.item["id"]))
        shared = read.item.keys() & answer.item.keys()
        assert {"id"} < shared
        assert {name: read.item[name] for name in shared} == {name: answer.item[name] for name in shared}


@with_verbs("create", "list", changes=True)
def test_a_list_since_a_moment_gives_what_changed_since(partner: Partner) -> None:
    before = {partner.create() for _ in range(2)}
    time.sleep(1.1)  # vendors keep whole seconds
    moment = datetime.now(UTC).replace(microsecond=0)
    after = {partner.create() for _ in range(3)}

    found = partner.listed(moment, limit=2)

    assert after <= set(found)
    assert before.isdisjoint(found)
    assert len(found) == len(set(found))


@with_verbs("create", "delete")
def test_what_is_removed_is_gone(partner: Partner) -> None:
    dialect, gone, stays = partner.crm.dialect, partner.create(), partner.create()

    partner.hold(dialect.delete(partner.resource, gone))

    if "list" in partner.verbs:
        found = partner.listed(None, limit=100)
        assert stays in found
        assert gone not in found
    if "get" in partner.verbs:
        problem = partner.problem(dialect.get(partner.resource, gone))
        assert (problem.kind, problem.outcome) == (Kind.CRM_NOT_FOUND, Outcome.NOTHING)


@with_verbs("create", "delete")
def test_a_crm_that_lists_its_deletions_lists_this_one(partner: Partner) -> None:
    dialect, moment, made = partner.crm.dialect, datetime.now(UTC) - timedelta(seconds=5), partner.create()
    partner.hold(dialect.delete(partner.resource, made))

    told = partner.hold(dialect.deleted(partner.resource, since=moment))

    assert told is None or made in told.ids


def bending(random: Random, keys: list[str]) -> Callable[[Response], Response]:
    """Bends one of the first three answers."""
    number, answers = random.randrange(3), iter(range(999))

    def bend(response: Response) -> Response:
        return replace(response, body=bent(random, keys, response.body)) if next(answers) == number else response

    return bend


@with_verbs()
def test_a_conversation_ends_whatever_the_crm_says(partner: Partner) -> None:
    """Each answer in turn has a part of it turned into nonsense; nothing but a Problem may come of it."""
    dialect, resource, keys = partner.crm.dialect, partner.resource, words(partner.crm.name)
    since = datetime.now(UTC) - timedelta(seconds=30)
    planted = {} if "create" in partner.verbs else partner.sample.story(partner.vendor.plant)
    id = planted.get(resource.plural, "1") if "create" not in partner.verbs else partner.create()
    talks: list[Callable[[], Talk[Any]]] = []
    if "create" in partner.verbs:
        _, draft = partner.draft()
        talks += [lambda: dialect.create(resource, draft), lambda: dialect.find(resource, draft, since)]
    if "list" in partner.verbs:
        talks += [lambda: dialect.list(resource, limit=3)]
        talks += [lambda: dialect.list(resource, since=since, limit=3)] if resource.changes else []
    if "get" in partner.verbs:
        talks += [lambda: dialect.get(resource, id)]
    for seed in range(SEEDS):
        random = Random(seed)
        for talk in talks:
            partner.bend = bending(random, keys)
            try:
                partner.hold(talk())
            except Problem:
                continue
