"""API keys: what they look like, what is kept of them, and the one answer to all that do not fit."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.api import keys
from tests.worlds import BRAND, World, parsed

BODY = "trpt_acme01_" + "0" * keys.RANDOM
KEY = BODY + keys.checksum(BODY)
LETTERS = st.sampled_from(string.ascii_letters + string.digits + string.punctuation + " é")


def test_a_key_is_a_prefix_a_brand_and_thirty_three_characters_of_base_62() -> None:
    key = keys.issue("a1b2c3")
    prefix, brand, random = key.split("_")
    assert (prefix, brand, len(random)) == ("trpt", "a1b2c3", 33)
    assert set(random) <= set(string.ascii_letters + string.digits)
    assert keys.brand_of(key) == "a1b2c3"


def test_the_random_part_holds_160_bits() -> None:
    assert len(keys.ALPHABET) ** keys.RANDOM >= 2**160
    assert len(set(keys.ALPHABET)) == 62


def test_no_two_keys_are_alike_and_every_character_of_the_alphabet_turns_up() -> None:
    issued = [keys.issue("acme01") for _ in range(300)]
    assert len(set(issued)) == 300
    drawn = "".join(key.removeprefix("trpt_acme01_")[: keys.RANDOM] for key in issued)
    assert set(drawn) == set(keys.ALPHABET)
    # 8,100 draws from 62: each letter about 131 times; a generator that leans is far outside of this.
    assert all(60 < drawn.count(letter) < 220 for letter in keys.ALPHABET)


def test_the_checksum_is_that_of_the_documented_rule() -> None:
    # crc32(b"trpt_acme01_" + 27 zeros), in base 62, most significant digit first, padded to six.
    from zlib import crc32

    number = 0
    for digit in KEY[-keys.CHECK :]:
        number = number * 62 + keys.ALPHABET.index(digit)
    assert number == crc32(KEY[: -keys.CHECK].encode())


@given(st.integers(0, len(KEY) - 1), LETTERS)
def test_every_change_of_one_character_is_refused(at: int, letter: str) -> None:
    if KEY[at] != letter:
        assert keys.brand_of(KEY[:at] + letter + KEY[at + 1 :]) is None


def test_every_swap_of_two_neighbours_is_refused() -> None:
    key = keys.issue("acme01")
    for at in range(len(key) - 1):
        swapped = key[:at] + key[at + 1] + key[at] + key[at + 2 :]
        assert swapped == key or keys.brand_of(swapped) is None


@given(st.text(max_size=60))
def test_arbitrary_text_is_no_key(text: str) -> None:
    assert keys.brand_of(text) is None


@pytest.mark.parametrize(
    "key", [KEY[:-1], KEY + "0", KEY + "\n", " " + KEY, KEY.upper(), KEY.replace("acme01", "ACME01")]
)
def test_a_key_of_another_form_is_refused(key: str) -> None:
    assert keys.brand_of(key) is None


def test_a_digest_is_the_sha256_of_the_whole_key() -> None:
    assert keys.digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(world: World, scheme: str) -> None:
    assert world.post(authorization=f"{scheme} {world.key}").status == 201


def refusals(world: World) -> dict[str, dict[str, str]]:
    """Headers of every call that no key opens the door for."""
    revoked, deleted = world.issue(), world.issue()
    world.record(revoked).revoked = True
    del world.access.keys[BRAND, keys.digest(deleted)]
    other = "y" if world.key[-1] != "y" else "z"
    return {
        "missing": {"authorization": ""},
        "another scheme": {"authorization": f"Basic {world.key}"},
        "no scheme": {"authorization": world.key},
        "no key": {"authorization": "Bearer "},
        "malformed": {"authorization": "Bearer hello"},
        "mistyped": {"authorization": f"Bearer {world.key[:-1]}{other}"},
        "two": {"authorization": f"Bearer {world.key}, Bearer {world.key}"},
        "unknown": {"authorization": f"Bearer {keys.issue(BRAND)}"},
        "of no brand": {"authorization": f"Bearer {keys.issue('nobody')}"},
        "revoked": {"authorization": f"Bearer {revoked}"},
        "deleted": {"authorization": f"Bearer {deleted}"},
    }


def test_every_key_that_does_not_fit_gets_the_same_answer_to_the_byte(world: World) -> None:
    replies = {name: world.post(**headers) for name, headers in refusals(world).items()}
    assert {reply.status for reply in replies.values()} == {401}
    assert len({reply.body for reply in replies.values()}) == 1
    assert len({tuple(reply.headers.items()) for reply in replies.values()}) == 1
    body = parsed(replies["revoked"])
    assert body["message"] == "Invalid or revoked API key"
    assert "truto_is_remote_error" not in body


@pytest.mark.parametrize("path", ["/v1/pods", "/v1/contacts", "/unified/crm/leads"])
def test_the_text_is_the_same_on_all_surfaces(world: World, path: str) -> None:
    body = parsed(world.post(path=path, key="hello"))
    assert body["detail"] == "Invalid or revoked API key"


@pytest.mark.parametrize("name", ["missing", "another scheme", "no scheme", "no key", "malformed", "mistyped", "two"])
def test_nothing_is_looked_up_for_a_key_that_cannot_be_one(world: World, name: str) -> None:
    headers = refusals(world)[name]
    world.post(**headers)
    assert world.journal.lines == []


@pytest.mark.parametrize("name", ["unknown", "of no brand", "revoked", "deleted"])
def test_a_refused_key_costs_one_look_and_no_more(world: World, name: str) -> None:
    headers = refusals(world)[name]
    world.post(**headers)
    assert world.journal.lines == ["access.admit"]


def test_a_key_of_another_brand_opens_only_its_own(world: World) -> None:
    theirs = world.issue(brand="other1")
    assert world.post(key=theirs).status == 404
    assert world.crm.sent == []


def test_a_call_is_counted_and_stamped(world: World) -> None:
    world.post()
    world.post()
    record = world.record(world.key)
    assert sum(record.hits.values()) == 2
    assert record.last_used == int(world.clock.now())


def test_a_key_has_its_own_number_of_calls_in_ten_seconds(world: World) -> None:
    key = world.issue(limit=2)
    assert [world.post(key=key).status for _ in range(3)] == [201, 201, 429]
    assert world.post().status == 201
    world.clock.pass_(10)
    assert world.post(key=key).status == 201


@pytest.mark.parametrize(("second", "wait"), [(0, "10"), (1, "9"), (9, "1"), (9.99, "1")])
def test_a_key_that_is_used_up_is_told_when_its_window_ends(second: float, wait: str) -> None:
    world = World()
    world.clock.at = 1_795_253_400 + second
    key = world.issue(limit=1)
    world.post(key=key)
    reply = world.post(key=key)
    assert (reply.status, reply.headers["retry-after"]) == (429, wait)
    assert "truto_is_remote_error" not in parsed(reply)


def test_a_refused_call_is_not_counted(world: World) -> None:
    key = world.issue(limit=1)
    for _ in range(4):
        world.post(key=key)
    assert list(world.record(key).hits.values()) == [1]


def test_each_surface_counts_on_its_own(world: World) -> None:
    key = world.issue(limit=1)
    assert world.post(key=key).status == 201
    assert world.post(key=key).status == 429
    caller = keys.authenticate(world.call(key=key, path="/v1/pods"), world.access, world.clock.now())
    assert caller.admission.used == 1


def test_the_limit_stands_in_headers_with_the_reset_as_a_moment(world: World) -> None:
    key = world.issue(limit=7)
    world.clock.at = 1_795_253_403.5
    caller = keys.authenticate(world.call(key=key), world.access, world.clock.now())
    assert caller.limits == {
        "x-ratelimit-limit": "7",
        "x-ratelimit-remaining": "6",
        "x-ratelimit-reset": "1795253410",
    }


def test_a_key_is_never_in_a_reply(world: World) -> None:
    for headers in refusals(world).values():
        reply = world.post(**headers)
        shown = reply.body.decode() + str(dict(reply.headers))
        assert world.key not in shown
        assert "trpt_" not in shown
