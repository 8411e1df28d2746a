"""Pages: one read, whatever is asked for; the page of another release is drawn anew."""

import gzip
import subprocess
import sys
from dataclasses import replace

import pytest

from switchboard.pods import look
from tests.api.pods.shop import ShopWorld


@pytest.mark.parametrize("accept", ["gzip", "identity", "", "br, gzip;q=0.5", "gzip;q=0"])
def test_a_live_view_is_one_read(shop: ShopWorld, accept: str) -> None:
    pod = shop.pod()
    lines = len(shop.journal.lines)
    reply = shop.send("GET", f"/pods/{pod['id']}/live", accept_encoding=accept)
    assert reply.status == 200
    assert shop.journal.lines[lines:] == ["pods.page"]
    packed = accept in ("gzip", "br, gzip;q=0.5")
    assert (reply.headers.get("content-encoding") == "gzip") is packed
    page = gzip.decompress(reply.body) if packed else reply.body
    assert b"Engine no. 2 for Analytical Engines" in page


def test_who_has_the_page_gets_nothing_but_that(shop: ShopWorld) -> None:
    pod = shop.pod()
    first = shop.send("GET", f"/pods/{pod['id']}/live")
    for given in (first.headers["etag"], f"W/{first.headers['etag']}", f'"x", {first.headers["etag"]}'):
        again = shop.send("GET", f"/pods/{pod['id']}/live", if_none_match=given)
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    shop.send("PATCH", f"/v1/pods/{pod['id']}", {"title": "Another"})
    changed = shop.send("GET", f"/pods/{pod['id']}/live", if_none_match=first.headers["etag"])
    assert changed.status == 200
    assert changed.headers["etag"] != first.headers["etag"]


def test_a_page_that_another_release_has_drawn_is_drawn_anew(shop: ShopWorld) -> None:
    pod = shop.pod()
    fresh = shop.send("GET", f"/pods/{pod['id']}/live")
    stored = shop.pods.pages[pod["id"]]
    shop.pods.pages[pod["id"]] = replace(stored, html=gzip.compress(b"old"), etag="old", renderer="old")
    reply = shop.send("GET", f"/pods/{pod['id']}/live")
    assert reply.body == fresh.body
    assert reply.headers["etag"] == fresh.headers["etag"]


def test_what_is_drawn_today_needs_none_of_what_draws() -> None:
    """The function that shows pages starts with a table and some text."""
    code = (
        "import sys; from switchboard.api.pods import pages; "
        "print(*sorted({'jinja2', 'markdown_it', 'liquid', 'babel'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert told.stdout.split() == []


def test_the_function_that_shows_pages_starts_without_a_line_to_any_crm() -> None:
    code = (
        "import sys; from switchboard.app import view_pod; view_pod(); "
        "print(*sorted({'httpx', 'jinja2', 'liquid', 'pydantic', 'markdown_it'} & set(sys.modules)))"
    )
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_LAMBDA_FUNCTION_NAME": "ViewPod",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "SWITCHBOARD_PODS_TABLE": "pods",
    }
    command = [sys.executable, "-c", code]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20, env=environment)
    assert told.stdout.split() == []


@pytest.mark.parametrize("path", ["/pods/x/live", f"/pods/{'0' * 24}/live", f"/pods/edit/{'0' * 24}", "/pods/assets/x"])
def test_what_is_not_there_is_a_page_that_says_so_and_is_not_kept(shop: ShopWorld, path: str) -> None:
    reply = shop.send("GET", path)
    assert reply.status == 404
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["content-security-policy"] == look.LIVE_POLICY
    assert reply.headers["cache-control"] == "no-store"


def test_the_edit_page_holds_nothing_of_the_pod(shop: ShopWorld) -> None:
    pod = shop.pod()
    reply = shop.send("GET", f"/pods/edit/{pod['id']}")
    assert reply.status == 200
    assert reply.headers["content-security-policy"] == look.EDIT_POLICY
    assert b"Engine" not in reply.body


def test_assets_are_kept_for_ever_under_names_of_their_own(shop: ShopWorld) -> None:
    for name, asset in look.ASSETS.items():
        reply = shop.send("GET", f"/pods/assets/{name}")
        assert (reply.status, reply.body) == (200, asset.content)
        assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
