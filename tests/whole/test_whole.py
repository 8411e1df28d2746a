"""Whatever happens, the store ends up equal to the CRM: for every CRM's dialect, against its fake."""

from random import Random

import pytest

from switchboard.crm import registry
from switchboard.sync import walking
from switchboard.sync.planning import Message
from tests.sandbox import vendors
from tests.whole.circuit import Circuit, ago
from tests.worlds import BRAND

SEEDS = 5
"""So many histories are lived through with each CRM."""

CRMS = pytest.mark.parametrize("crm", registry.NAMES)


def equal(circuit: Circuit) -> None:
    """The store holds what the CRM holds, and its lists say the same."""
    truth, held = circuit.truth(), circuit.held()
    assert sorted(held) == sorted(truth)
    for id, item in truth.items():
        assert held[id] == item, id
    circuit.store.agree(BRAND)


@CRMS
def test_the_first_sync_reads_everything(crm: str) -> None:
    circuit = Circuit(crm)
    for number in range(230):
        circuit.add(ago(days=200 - number / 2))
    circuit.clock.pass_(600)
    circuit.sync()
    equal(circuit)
    assert circuit.point.size == len(circuit.ids)


def test_a_crm_that_tells_no_moment_of_change_is_asked_for_changes_after_the_first_sync() -> None:
    circuit = Circuit("nutshell")
    circuit.add(ago(days=3))
    circuit.sync()
    circuit.send.sent.clear()
    circuit.clock.pass_(900)
    circuit.change(circuit.ids[0])
    circuit.clock.pass_(300)
    circuit.sync()
    assert {request.path for request in circuit.send.sent} == {"/rest/events"}
    equal(circuit)


def test_a_contact_that_the_account_may_not_read_any_more_is_gone_and_hinders_no_sync() -> None:
    circuit = Circuit("insightly")
    for number in range(5):
        circuit.add(ago(days=30 - number))
    circuit.clock.pass_(600)
    circuit.sync()
    shut = circuit.ids.pop(2)
    circuit.fake.settings["closed_records"] = [int(shut)]
    circuit.clock.pass_(50 * 3600)
    circuit.sync()
    circuit.add()
    circuit.clock.pass_(50 * 3600)
    circuit.sync()
    equal(circuit)


LAGS = {name: vendors.load(name).defaults.keys() & {"search_lag", "list_lag", "lag"} for name in registry.NAMES}
"""What of a fake may know late of a change."""


@pytest.mark.parametrize("seed", range(SEEDS))
@CRMS
def test_whatever_happens_the_store_ends_up_equal(crm: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """People at work between any two answers of the CRM; processes that die at any step; messages
    that come twice, late and in any order; a CRM that is busy or does not answer, and whose lists lag."""
    random = Random(f"{crm}-{seed}")
    monkeypatch.setattr(walking, "PAGE", random.choice((3, 7, 20, 2_000)))
    lag = min(registry.load(crm).dialect.lag, 20)
    circuit = Circuit(crm, random=random, **dict.fromkeys(LAGS[crm], float(lag)))
    for number in range(random.choice((0, 5, 40))):
        circuit.add(ago(days=30 - number / 2))
    circuit.clock.pass_(random.choice((1, 600)))
    circuit.send.meanwhile = lambda: circuit.something() if random.random() < 0.1 else None
    for _ in range(60):
        disturb(circuit, random)
        circuit.turn()
    circuit.send.meanwhile = lambda: None
    circuit.send.busy = circuit.send.broken = 0
    circuit.world.journal.revive()
    circuit.reconnect()
    for _ in range(4):
        circuit.clock.pass_(50 * 3600)
        circuit.sync()
    equal(circuit)


def disturb(circuit: Circuit, random: Random) -> None:
    """Let something happen before the next turn."""
    match random.choice(
        ("people", "people", "plan", "plan", "twice", "crash", "crash", "busy", "broken", "time", "day")
    ):
        case "people":
            for _ in range(random.randrange(1, 6)):
                circuit.something()
        case "plan":
            circuit.plan()
        case "twice":
            circuit.queue.send([Message(BRAND, circuit.account.id).body], delay=random.choice((0, 1, 600)))
        case "crash":
            circuit.world.journal.die(random.randrange(1, 150), random.choice(("before", "after")))
        case "busy":
            circuit.send.busy = random.randrange(1, 4)
        case "broken":
            circuit.send.broken = random.randrange(1, 3)
        case "time":
            circuit.clock.pass_(random.choice((1, 20, 400, 2000)))
        case _:
            circuit.clock.pass_(24 * 3600)
