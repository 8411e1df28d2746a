"""What an account says of itself stands in the paths of its requests, and can leave no path."""

from dataclasses import replace

import pytest

from switchboard.crm import wire
from switchboard.crm.catalog import Setting
from switchboard.crm.wire import Response, Talk
from switchboard.talks.line import Line
from tests.worlds import ACCOUNT, BRAND, CRMS, World

SETTINGS = {"space": Setting("The space."), "region": Setting("The region.", "eu")}


def paths(world: World, path: str, **settings: str) -> list[str]:
    """Where a request to this path goes, from an account with these settings."""
    account = replace(world.access.accounts[BRAND, ACCOUNT], settings=settings)
    crm = replace(CRMS[account.crm], settings=SETTINGS)

    def talk() -> Talk[Response]:
        return (yield wire.get(path))

    Line(world.services, world.tokens, crm, account, world.deadline).hold(talk())
    return [sent.request.path for sent in world.crm.sent]


def test_a_setting_takes_the_place_of_its_name(world: World) -> None:
    assert paths(world, "/spaces/{space}/{region}/leads", space="acme_1") == ["/spaces/acme_1/eu/leads"]


@pytest.mark.parametrize("hostile", ["../admin", "a/b", "a?b=c", "..", "a#b", "{region}"])
def test_a_setting_stays_in_its_place(world: World, hostile: str) -> None:
    [path] = paths(world, "/spaces/{space}/leads", space=hostile)
    assert path.count("/") == 3
    assert not set(path) & set("?#{}")
    assert "/../" not in path


def test_an_id_in_braces_is_no_setting(world: World) -> None:
    """Ids are escaped before they stand in a path; a brace of theirs is none."""
    assert paths(world, f"/leads/{wire.segment('{space}')}", space="acme_1") == ["/leads/%7Bspace%7D"]
