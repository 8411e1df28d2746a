"""A brand on the local stack with a user, a key and one account in every fake CRM; and a lead for each to try."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import boto3
import httpx

from switchboard.admin import Admin, IssuedKey
from tests.local import samples
from tests.local.samples import Body, Sample
from tests.local.stack import Stack

SCOPES = tuple(
    f"{name}.all" for name in ("lead", "pipeline", "stage", "contact", "company", "deal", "user", "pod", "template")
)

SAMPLES = samples.load()
"""For each CRM, what it takes."""

CONTROL = httpx.Client(verify=False, trust_env=False, timeout=10)
"""To the control planes; one, because the certificates that a client loads take longer than a request."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """One fake CRM, by its control plane."""

    url: str
    name: str

    @property
    def sample(self) -> Sample:
        """What it takes."""
        return SAMPLES[self.name]

    def control(self, method: str, path: str, body: Body | None = None) -> Any:
        """Ask the control plane."""
        answer = CONTROL.request(method, f"{self.url}/_sandbox/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    def plant(self, objects: str, **fields: Any) -> str:
        """Make a record behind the API; answers its id."""
        return str(self.control("POST", f"records/{objects}", fields)["id"])

    def fault(self, kind: str, **given: Any) -> None:
        """Arm a fault for the next create of a lead."""
        self.control("POST", "faults", {"kind": kind, "method": "POST", "route": self.sample.noun("leads"), **given})

    @property
    def posts(self) -> int:
        """How many creates of leads arrived."""
        return int(self.control("GET", "counts").get(f"POST {self.sample.noun('leads')}", 0))

    @property
    def leads(self) -> int:
        """How many leads it holds."""
        return len(self.control("GET", f"records/{self.sample.noun('leads')}"))

    @property
    def asked(self) -> int:
        """How many requests arrived, those for tokens apart."""
        return sum(
            count
            for label, count in self.control("GET", "counts").items()
            if "token" not in label and "oauth" not in label
        )

    def grant(self, **given: Any) -> Body:
        """New credentials of an account, and the OAuth app that they belong to if there is one."""
        return self.control("POST", "grants", {"kind": self.sample.kind, **given})


@dataclass(frozen=True, slots=True)
class Tenant:
    """A brand, its user and key, its accounts by CRM, and how to call the API with them."""

    url: str
    admin: Admin
    brand: str
    user: str
    key: IssuedKey
    vendors: Mapping[str, Vendor]
    accounts: Mapping[str, str]
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=40, verify=False, trust_env=False))

    def with_accounts(self, **accounts: str) -> Self:
        """The same caller with other accounts."""
        return replace(self, accounts={**self.accounts, **accounts})

    @classmethod
    def on(cls, stack: Stack, admin: Admin, crms: Iterable[str] | None = None) -> Self:
        """A new brand on the stack."""
        brand = admin.create_brand("Analytical Engines")
        user = admin.create_user(brand, "charles@example.com", "admin")
        vendors = {crm: Vendor(stack.vendors[crm], crm) for crm in crms or SAMPLES}
        accounts = {crm: connect(admin, brand, crm, vendor) for crm, vendor in vendors.items()}
        return cls(stack.url, admin, brand, user, admin.issue_key(brand, user, SCOPES), vendors, accounts)

    @staticmethod
    def quiet(url: str) -> None:
        """Take back the faults that are armed at a fake CRM."""
        CONTROL.delete(f"{url}/_sandbox/faults").raise_for_status()

    def lead(self, crm: str) -> Body:
        """A lead that this CRM takes; what it refers to exists."""
        return SAMPLES[crm].lead(self.vendors[crm].plant)

    def sample(self, crm: str, plural: str) -> Body:
        """A lead, a pipeline or a stage that this CRM takes; what it refers to exists."""
        return SAMPLES[crm].make(plural)(self.vendors[crm].plant)

    def create(
        self,
        crm: str,
        body: Any,
        *,
        form: str = "unified",
        key: str | None = None,
        secret: str | None = None,
        plural: str = "leads",
    ) -> httpx.Response:
        """POST /unified/crm/{plural}."""
        headers = {"idempotency-key": key} if key is not None else {}
        return self.call("POST", crm, plural, body, headers, secret, {"truto_response_format": form})

    def call(
        self,
        method: str,
        crm: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        secret: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A call below /unified/crm, for the account in this CRM."""
        sent = {"authorization": f"Bearer {secret or self.key.secret}", **(headers or {})}
        query = {"integrated_account_id": self.accounts[crm], **(params or {})}
        url = f"{self.url}/unified/crm/{path}"
        return self.client.request(method, url, params=query, json=body, headers=sent)

    def event(self, crm: str, body: Any, key: str | None = None) -> Body:
        """The same as API Gateway would hand it to the function."""
        headers = {"authorization": f"Bearer {self.key.secret}", "content-type": "application/json"}
        path = "/unified/crm/leads"
        return {
            "version": "2.0",
            "routeKey": f"POST {path}",
            "rawPath": path,
            "rawQueryString": f"integrated_account_id={self.accounts[crm]}",
            "headers": headers | ({} if key is None else {"idempotency-key": key}),
            "requestContext": {"http": {"method": "POST", "path": path}},
            "body": json.dumps(body),
            "isBase64Encoded": False,
        }

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        secret: str | None = None,
    ) -> httpx.Response:
        """A call of the pods surface; a path that begins with https:// or http:// is one of its links."""
        sent = {"authorization": f"Bearer {secret or self.key.secret}", **(headers or {})}
        url = path if "://" in path else self.url + path
        return self.client.request(method, url, json=body, headers=sent)

    def story(self, crm: str) -> Mapping[str, str]:
        """The customer of tests/local/story.py, planted in this CRM; ids by our plurals."""
        return SAMPLES[crm].story(self.vendors[crm].plant)

    def pod_curl(self, crm: str) -> str:
        """A line that makes a pod of a deal when pasted into a shell."""
        order = {"crm_type": crm, "crm_object": "deals", "crm_id": self.story(crm)["deals"], "template_id": "deal-room"}
        return (
            f"curl -s '{self.url}/v1/pods' -H 'authorization: Bearer {self.key.secret}' "
            f"-H 'content-type: application/json' -d '{json.dumps(order)}'"
        )

    def contacts_curl(self, text: str) -> str:
        """A line that searches the contacts of all CRMs when pasted into a shell."""
        return (
            f"curl -s '{self.url}/v1/contacts/search' -H 'authorization: Bearer {self.key.secret}' "
            f"-H 'version: 2026-06-01' -H 'content-type: application/json' -d '{json.dumps({'search_text': text})}'"
        )

    def curl(self, crm: str) -> str:
        """A line that creates a lead when pasted into a shell."""
        body = json.dumps(self.lead(crm))
        return (
            f"curl -s '{self.url}/unified/crm/leads?integrated_account_id={self.accounts[crm]}' "
            f"-H 'authorization: Bearer {self.key.secret}' -H 'content-type: application/json' -d '{body}'"
        )


def operator(stack: Stack) -> Admin:
    """The operator of a local stack."""
    aws = stack.aws_environment
    session = boto3.Session(aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"], region_name=aws["AWS_REGION"])
    dynamodb = session.client("dynamodb", endpoint_url=stack.aws_endpoint)
    secretsmanager = session.client("secretsmanager", endpoint_url=stack.aws_endpoint)
    told = stack.environment["CreateLead"]
    pods, contacts = (told.get(f"SWITCHBOARD_{name}_TABLE", "") for name in ("PODS", "CONTACTS"))
    access, prefix = told["SWITCHBOARD_ACCESS_TABLE"], told["SWITCHBOARD_SECRETS"]
    return Admin(dynamodb, secretsmanager, access, prefix, pods, contacts)


def connect(admin: Admin, brand: str, crm: str, vendor: Vendor, **given: Any) -> str:
    """Connect a fake CRM to a brand; answers the account's id."""
    granted, sample = vendor.grant(**given), vendor.sample
    if "client_id" in granted:
        admin.set_app(crm, granted["client_id"], granted["client_secret"])
    credentials, settings = sample.credentials(granted), sample.settings(granted)
    return admin.connect_account(brand, crm, credentials, origin=sample.origin, settings=settings)
