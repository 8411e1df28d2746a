"""`make dev`: what it prints works when it is pasted."""

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.process import ROOT
from tests.local.tenant import SAMPLES

pytestmark = pytest.mark.local

SAM = ROOT / ".tools" / "sam" / "bin" / "python"
READ = """
import json, sys
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.lambdafn.env_vars import EnvironmentVariables
stacks, _ = SamLocalStackProvider.get_stacks(sys.argv[1], parameter_overrides={"Stage": "local"})
function = SamFunctionProvider(stacks).get("CreateLead")
declared = (function.environment or {}).get("Variables", {})
given = json.load(open(sys.argv[2]))["CreateLead"]
settings = dict(function_name="CreateLead", function_memory=128, function_timeout=29, function_handler="app.handler",
                function_logging_config={}, variables=declared, override_values=given)
print(json.dumps(EnvironmentVariables(**settings).resolve()))
"""
"""What `sam local invoke --env-vars` would give the container: only variables that the template declares."""


@pytest.fixture(scope="module")
def dev() -> Iterator[tuple[str, ...]]:
    """A running `make dev`, by the lines that it printed."""
    process = subprocess.Popen([sys.executable, "-m", "tests.local.dev"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if line.startswith("Logs are in"):
            break
    yield tuple(lines)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    process.stdout.close()


def test_every_curl_line_makes_a_lead(dev: tuple[str, ...]) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl on this machine")
    curls = [line for line in dev if line.startswith("curl ")]
    contacts = [line for line in curls if "/v1/contacts/search" in line]
    assert len(curls) == len(SAMPLES) + 2
    for line in set(curls).difference(contacts):
        answer = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True)
        made = json.loads(answer.stdout)
        assert made.get("data", made)["id"], answer.stdout


def test_the_contacts_are_there_before_long(dev: tuple[str, ...]) -> None:
    if not shutil.which("curl"):
        pytest.skip("there is no curl on this machine")
    [line] = [line for line in dev if "/v1/contacts/search" in line]
    answer: dict[str, Any] = {"data": []}
    for _ in range(60):
        answer = json.loads(subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=True).stdout)
        if answer["data"]:
            break
        time.sleep(0.5)
    assert answer["data"][0]["name"] == "Ada Lovelace"


def test_the_environment_file_takes_sam_local_invoke_to_this_stack(dev: tuple[str, ...]) -> None:
    [line] = [line for line in dev if line.startswith("sam local invoke")]
    words = line.split()
    path, event = (Path(ROOT / words[words.index(option) + 1]) for option in ("--env-vars", "-e"))
    command = [SAM, "-c", READ, str(ROOT / "template.yaml"), str(path)]

    read = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})

    given, found = json.loads(path.read_text())["CreateLead"], json.loads(read.stdout)
    needed = {"AWS_ENDPOINT_URL", *(name for name in given if name.startswith("SWITCHBOARD_"))}
    assert {name: found.get(name) for name in needed} == {name: given[name] for name in needed}
    assert json.loads(event.read_text())["headers"]["authorization"].startswith("Bearer trpt_")
