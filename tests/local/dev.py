"""`make dev`: keeps the local stack up, and says how to call it."""

import json
import platform
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tests.local.process import ROOT
from tests.local.stack import Stack
from tests.local.tenant import Tenant, operator

LOCAL = ROOT / ".local"
MINUTELY = "cron(* * * * ? *)"
"""As often as EventBridge Scheduler fires."""


def environment_file(stack: Stack) -> Path:
    """What `sam local invoke --env-vars` takes: the environment of each function on this stack."""
    path = LOCAL / "environment.json"
    path.write_text(json.dumps(dict(stack.environment), indent=2, default=dict))
    return path


def event_of(tenant: Tenant) -> dict[str, Any]:
    """events/create_lead.json with a key and a HubSpot account of this stack in it, and records that exist."""
    event = json.loads((ROOT / "events" / "create_lead.json").read_text())
    account = tenant.accounts["hubspot"]
    event["headers"]["authorization"] = f"Bearer {tenant.key.secret}"
    event["rawQueryString"] = f"integrated_account_id={account}"
    event["queryStringParameters"] = {"integrated_account_id": account}
    event["body"] = json.dumps(tenant.lead("hubspot"))
    return event


def event_file(tenant: Tenant) -> Path:
    """That event, for `sam local invoke -e`."""
    path = LOCAL / "create_lead.json"
    path.write_text(json.dumps(event_of(tenant), indent=2))
    return path


def invocation(event: Path, environment: Path) -> str:
    """The command that runs the built function in a container, against this stack."""
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return (
        f"sam local invoke CreateLead -e {event} --env-vars {environment} "
        f"--parameter-overrides 'Stage=local Architecture={machine}' --docker-network host"
    )


def main() -> int:
    """Run until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    with Stack(schedules=True, parameters={"SyncSchedule": MINUTELY}) as stack:
        tenant = Tenant.on(stack, operator(stack))
        environment, event = (path.relative_to(ROOT) for path in (environment_file(stack), event_file(tenant)))
        print(f"The API is at {stack.url}. Create a lead:\n")
        for crm in sorted(tenant.accounts):
            print(f"{tenant.curl(crm)}\n")
        print("Make a page of a deal, open it, and edit it with the key in that line:\n")
        print(f"{tenant.pod_curl('hubspot')}\n")
        stack.functions["PlanSyncs"].invoke({})  # the schedule's first minute need not be waited for
        print("Search the contacts of all CRMs, synced every minute here, and the first time within some seconds:\n")
        print(f"{tenant.contacts_curl('ada lovelace')}\n")
        print("The first again, in a container, where Docker is:\n")
        print(f"{invocation(event, environment)}\n")
        print(f"Logs are in {stack.logs.relative_to(ROOT)}. Ctrl-C ends it.", flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
