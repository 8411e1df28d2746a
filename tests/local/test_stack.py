"""The whole stack: up quickly, all parts joined, and nothing left behind however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.local.process import ROOT, ProcessDiedError
from tests.local.stack import Stack

pytestmark = pytest.mark.local

TEMPLATE = """
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Api: {Type: AWS::Serverless::HttpApi, Properties: {StageName: $default}}
  Things:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
  Jobs: {Type: AWS::SQS::Queue}
  Count:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/count
      Handler: app.handler
      Timeout: 10
      Environment: {Variables: {TABLE: !Ref Things, API: !GetAtt Api.ApiEndpoint}}
      Events:
        Request: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: "/count/{name}"}}
        Jobs: {Type: SQS, Properties: {Queue: !GetAtt Jobs.Arn}}
"""
APP = """
import os, boto3
table = boto3.client("dynamodb")

def add(name):
    return table.update_item(
        TableName=os.environ["TABLE"], Key={"pk": {"S": name}}, ReturnValues="UPDATED_NEW",
        UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}},
    )["Attributes"]["n"]["N"]

def handler(event, context):
    if "Records" in event:
        return [add(record["body"]) for record in event["Records"]]
    shown = ("API", "SWITCHBOARD_STAGE", "SWITCHBOARD_ORIGINS", "GIVEN")
    return {"n": add(event["pathParameters"]["name"]), **{name: os.environ.get(name) for name in shown}}
"""
SANDBOX = 'import json, time; print(json.dumps({"acme": "http://127.0.0.1:9"}), flush=True); time.sleep(600)'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "functions" / "count").mkdir(parents=True)
    (tmp_path / "functions" / "count" / "app.py").write_text(APP)
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    return tmp_path


def stack(project: Path, *, sandbox: str = SANDBOX) -> Stack:
    return Stack(
        template=project / "template.yaml",
        sandbox=(sys.executable, "-c", sandbox),
        environment={"GIVEN": "yes"},
        logs=project / "logs",
    )


def post(url: str) -> dict[str, str]:
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=15) as answer:
        return json.load(answer)


def children() -> set[str]:
    """Commands of our children that still run."""
    listed = subprocess.run(
        ["ps", "-o", "stat=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {line for line in listed.stdout.splitlines() if not line.startswith("Z") and " ps " not in f" {line} "}


def test_a_request_reaches_its_function_and_the_function_its_table(project: Path) -> None:
    before = children()
    began = time.monotonic()
    with stack(project) as running:
        assert time.monotonic() - began < 10
        assert running.vendors == {"acme": "http://127.0.0.1:9"}
        first, second = post(f"{running.url}/count/x"), post(f"{running.url}/count/x")
        assert first == {
            "n": "1",
            "API": running.url,
            "SWITCHBOARD_STAGE": "local",
            "SWITCHBOARD_ORIGINS": '{"acme": "http://127.0.0.1:9"}',
            "GIVEN": "yes",
        }
        assert second["n"] == "2"
        assert running.functions["Count"].invoke({"Records": [{"body": "x"}]}) == ["3"]
        assert "REPORT" in (running.logs / "Count.log").read_text()
    assert children() == before


def test_a_stack_that_cannot_start_leaves_nothing(project: Path) -> None:
    before = children()
    with (
        pytest.raises(ProcessDiedError, match="no sandbox today"),
        stack(project, sandbox="import sys; sys.exit('no sandbox today')"),
    ):
        pass
    assert children() == before


SCRIPT = """
import sys, time
from pathlib import Path
from tests.local.test_stack import post, stack
with stack(Path(sys.argv[1])) as running:
    post(f"{running.url}/count/x")
    print(*running.functions["Count"].pids, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("how", "status"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_the_whole_stack(project: Path, how: signal.Signals, status: int) -> None:
    with subprocess.Popen(
        # A background job ignores SIGINT; this one shall not.
        [
            sys.executable,
            "-c",
            f"import signal; signal.signal(signal.SIGINT, signal.default_int_handler){SCRIPT}",
            project,
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout
        emulator = process.stdout.readline().strip()
        assert Path(f"/proc/{emulator}").exists()
        started = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert len(started) == 3  # ministack, the sandbox, one emulator
        process.send_signal(how)
        assert process.wait(10) == status
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)
