"""Sockets and the process."""

import ast
import http.client
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, vendors
from tests.sandbox.caller import Caller
from tests.sandbox.recipes import Recipe, every_crm

HERE = Path(__file__).parent


@every_crm
def test_fifty_leads_at_once_are_fifty_leads(crm: Caller, recipe: Recipe) -> None:
    api = crm.authorised()
    with ThreadPoolExecutor(50) as pool:
        replies = list(pool.map(lambda _: recipe.create(api), range(50)))
    assert {reply.status for reply in replies} == {recipe.made}
    assert len({recipe.read_id(reply.json) for reply in replies}) == 50
    assert len(crm.stored(recipe.noun)) == 50


def test_a_connection_serves_many_requests(sandbox: Sandbox) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", int(sandbox.urls["hubspot"].rsplit(":", 1)[1]), timeout=5)
    for _ in range(3):
        connection.request("GET", "/_sandbox/health")
        assert connection.getresponse().read()
    connection.close()


def test_chunked_bodies_are_read_and_what_is_no_http_is_400(sandbox: Sandbox) -> None:
    port = int(sandbox.urls["hubspot"].rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/_sandbox/grants", iter([b'{"expires_in"', b": 5}"]), encode_chunked=True)
    assert connection.getresponse().status == 201
    connection.close()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Content-Length", "many")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_the_process_prints_one_line_of_urls_and_ends_cleanly_on_sigterm() -> None:
    command = [sys.executable, "-m", "tests.sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parents[1], text=True) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        assert sorted(urls) == list(vendors.names())
        assert Caller(urls["hubspot"]).get("/_sandbox/health").json["name"] == "hubspot"
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        assert process.stdout.read() == ""


def test_sigterm_ends_stalled_requests_and_closed_doors_too() -> None:
    command = [sys.executable, "-m", "tests.sandbox", "--ports", "hubspot=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=HERE.parents[1], text=True) as process:
        assert process.stdout is not None
        urls = json.loads(process.stdout.readline())
        crm = Caller(urls["hubspot"])
        crm.fault("stalled", seconds=60)
        with pytest.raises(TimeoutError):
            crm.get("/crm/v3/owners", timeout=0.1)
        Caller(urls["pipedrive"]).fault("refused", seconds=60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def test_a_chosen_port_is_used() -> None:
    with Sandbox(("hubspot",)) as first:
        port = int(first.urls["hubspot"].rsplit(":", 1)[1])
    with Sandbox(("hubspot",), ports={"hubspot": port}) as second:
        assert second.urls == {"hubspot": f"http://127.0.0.1:{port}"}
        assert second["hubspot"].name == "hubspot"


def test_the_sandbox_never_imports_what_it_tests() -> None:
    for file in HERE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] == "switchboard" for name in names), file
