"""Counts: what one warm create asks of DynamoDB, of Secrets Manager and of the CRM."""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from functions.create_lead.app import handler
from switchboard.aws import clients
from tests.local.inside import Invocation
from tests.local.tenant import Tenant


class Meter:
    """Counts the calls of the AWS clients of this process."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        for client in (clients.dynamodb(), clients.secretsmanager()):
            client.meta.events.register("before-call", self._count)

    def _count(self, model: Any, **_: Any) -> None:
        self.calls[model.name] += 1

    @contextmanager
    def reading(self) -> Generator[Counter[str]]:
        """The calls made inside."""
        self.calls = found = Counter[str]()
        yield found


def create(tenant: Tenant, crm: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
    """A create by the handler; anything but a lead ends the benchmark."""
    answer = handler(tenant.event(crm, body, key), Invocation())
    if answer["statusCode"] != 201:
        raise RuntimeError(answer["body"])
    return answer


def costs(tenant: Tenant, meter: Meter) -> Iterator[tuple[str, ...]]:
    """Rows: the CRM, the kind of call, and its counts."""
    for crm in sorted(tenant.accounts):
        body, first, vendor = tenant.lead(crm), tenant.lead(crm), tenant.vendors[crm]
        create(tenant, crm, tenant.lead(crm))  # the first reads the credentials
        kinds: dict[str, Callable[[], Any]] = {
            "without Idempotency-Key": lambda crm=crm, body=first: create(tenant, crm, body),
            "with Idempotency-Key": lambda crm=crm, body=body: create(tenant, crm, body, "bench"),
            "replay": lambda crm=crm, body=body: create(tenant, crm, body, "bench"),
        }
        for kind, call in kinds.items():
            arrived = len(vendor.control("GET", "requests"))
            with meter.reading() as found:
                call()
            aws = ", ".join(f"{number} {name}" for name, number in sorted(found.items()))
            secrets = sum(number for name, number in found.items() if "Secret" in name)
            at_crm = len(vendor.control("GET", "requests")) - arrived
            yield crm, kind, str(found.total() - secrets), str(secrets), str(at_crm), aws
