"""Ratios: init against a bare baseline, a warm call against a bare POST, and how many records are mapped."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

import httpx

from switchboard.crm import registry
from switchboard.crm.catalog import Resource
from tests.bench.costs import create
from tests.local.process import ROOT
from tests.local.tenant import Tenant

BASELINE = """
import boto3, httpx, pydantic
boto3.client("dynamodb", region_name="us-east-1")
httpx.Client()
"""
HANDLER = "import functions.create_lead.app"
ROUNDS = 9


def init(environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds to start the function, and to start the baseline: each the least of several new interpreters."""
    lambda_ = {**environment, "AWS_LAMBDA_FUNCTION_NAME": "CreateLead"}
    sources = {"handler": (HANDLER, lambda_), "baseline": (BASELINE, environment), "bare": ("", environment)}
    least: dict[str, float] = {}
    for _ in range(ROUNDS):  # in turn, so that a slow moment of the machine falls on all
        for name, (source, given) in sources.items():
            least[name] = min(least.get(name, 9.9), _interpreter(source, given))
    return least["handler"] - least["bare"], least["baseline"] - least["bare"]


def _interpreter(source: str, environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-c", source]
    subprocess.run(command, check=True, cwd=ROOT, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True)
    return time.perf_counter() - started


def warm(tenant: Tenant, crm: str, bare: Callable[[httpx.Client], None], rounds: int = 150) -> tuple[float, float]:
    """Median seconds of a warm create by the handler, and of a bare POST of the same lead to the same fake CRM."""
    body = tenant.lead(crm)
    ours: list[float] = []
    theirs: list[float] = []
    with httpx.Client(verify=False, trust_env=False) as client:
        for _ in range(rounds):
            ours.append(_timed(lambda: create(tenant, crm, body)))
            theirs.append(_timed(lambda: bare(client)))
    return statistics.median(ours), statistics.median(theirs)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def mapped(crm: str, body: object, seconds: float = 0.5) -> float:
    """Records per second and core that come out of a CRM's answer in our form."""
    declared = registry.load(crm)
    resource = declared.resources["leads"]
    assert isinstance(resource, Resource)
    count, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        for _ in range(200):
            resource.table.into(declared.dialect.open(resource, body))
        count += 200
    return count / (time.process_time() - started)
