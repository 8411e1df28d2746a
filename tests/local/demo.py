"""`make demo`: a lead, a pipeline and a stage in every CRM that makes them, and the reasons of those that do not.

The exit status is not zero if a step went otherwise than it should.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote

from switchboard import models
from switchboard.api.unified import FORMS
from switchboard.crm import registry
from switchboard.crm.catalog import Unsupported
from switchboard.models.schema import Verb, verbs
from tests.local.contacts import Contacts
from tests.local.expecting import expect
from tests.local.process import ROOT
from tests.local.stack import Stack
from tests.local.story import COMPANY, CONTACT
from tests.local.tenant import Tenant, operator

type Check = Callable[[], str]
"""Does a step; answers what is worth seeing, or raises AssertionError that says what went otherwise."""


STARTERS = {
    "deals": "deal-room",
    "companies": "company-introduction",
    "contacts": "personal-page",
    "leads": "personal-page",
}
"""Which of the templates that come with us is for which kind of record."""
NAMES = {
    "deals": ("Engine no. 2", COMPANY["name"]),
    "companies": (COMPANY["name"],),
    "contacts": (CONTACT["first_name"],),
    "leads": (CONTACT["first_name"], CONTACT["last_name"], "Engine"),
}
"""One of these stands on the page."""
TEMPLATE = {
    "name": "A word to the buyer",
    "title": "{{ deal.name }} for {{ company.name }}",
    "blocks": [{"type": "text", "text": "It is {{ deal.amount | money: deal.currency }}, {{ contact.first_name }}."}],
}


@dataclass(slots=True)
class Demo:
    """A run of steps, printed as they are taken."""

    tenant: Tenant
    plan: Callable[[], Any]
    """What the schedule starts."""
    results: list[bool] = field(default_factory=list[bool])

    def step(self, name: str, crm: str, check: Check) -> None:
        """Take a step and print its line."""
        started = time.monotonic()
        try:
            seen, ok = check(), True
        except AssertionError as otherwise:
            seen, ok = str(otherwise), False
        self.results.append(ok)
        took = f"{(time.monotonic() - started) * 1000:.0f} ms"
        print(f"{'ok' if ok else 'NO':<3} {len(self.results):>2}  {crm:<14} {name:<42} {took:>8}  {seen}")

    def run(self) -> None:
        """All steps."""
        for form in FORMS:
            self.step(f"create a lead, {form}", "hubspot", lambda form=form: self.created("hubspot", form))
        for crm in sorted(self.tenant.accounts):
            for plural in models.MODULES:
                self.life(crm, plural)
            self.replay(crm)
            self.adopted(crm)
        for crm in ("hubspot", "pipedrive"):
            self.missing(crm)
        for crm in sorted(self.tenant.accounts):
            self.pods(crm)
        self.edited("hubspot")
        for name, crm, check in Contacts(self.tenant, self.plan).steps():
            self.step(name, crm, check)
        self.doors()

    def life(self, crm: str, plural: str) -> None:
        """A record made, read, listed and removed; or why not."""
        name, declared = models.load(plural).name, registry.load(crm)

        def made() -> str:
            answer = self.tenant.create(crm, self.tenant.sample(crm, plural), plural=plural)
            expect(answer.status_code, 201, answer.text)
            ids.append(answer.json()["id"])
            return f"201, id {ids[0]}"

        def read() -> str:
            answer = self.tenant.call("GET", crm, f"{plural}/{quote(ids[0], safe='')}")
            expect(answer.status_code, 200, answer.text)
            expect(answer.json()["id"], ids[0], "id")
            shown = [field for field in answer.json() if field != "remote_data"]
            return f"200, {', '.join(shown)}"[:100]

        def listed() -> str:
            found, params = list[str](), {"limit": "100"}
            while True:
                answer = self.tenant.call("GET", crm, plural, params=params)
                expect(answer.status_code, 200, answer.text)
                found += [each["id"] for each in answer.json()["result"]]
                if answer.json()["next_cursor"] is None:
                    break
                params["next_cursor"] = answer.json()["next_cursor"]
            expect(ids[0] in found if ids else bool(found), True, "is in the list")
            return f"200, {len(found)} {plural}"

        def removed() -> str:
            path = f"{plural}/{quote(ids[0], safe='')}"
            answer = self.tenant.call("DELETE", crm, path)
            expect(answer.status_code, 200, answer.text)
            expect(answer.json(), {"id": ids[0]}, "the answer")
            again = self.tenant.call("DELETE", crm, path).status_code
            expect(again in (200, 404), True, "the same again is 404, or 200 where a CRM never minds")
            return f"200, then {again}"

        ids = list[str]()
        steps: tuple[tuple[Verb, Check], ...] = (("create", made), ("get", read), ("list", listed), ("delete", removed))
        for verb, check in steps:
            if verb not in verbs(plural) or "create" not in verbs(plural):
                continue
            offer = declared.offer(plural, verb)
            if isinstance(offer, Unsupported):
                if verb == "create":
                    self.step(f"create a {name}: refused", crm, partial(self.refused, crm, plural, offer))
            elif verb in ("create", "list") or ids:
                self.step(f"{verb} a {name}" if verb != "list" else f"list {plural}", crm, check)

    def refused(self, crm: str, plural: str, offer: Unsupported) -> str:
        """The CRM cannot; the refusal says why."""
        answer = self.tenant.create(crm, {"name": "Engines"}, plural=plural)
        expect(answer.status_code, 400, answer.text)
        told = answer.json()
        expect(told["type"].rpartition("#")[2], "unsupported-by-crm", "type")
        expect(offer.why in told["detail"], True, f"the reason in {told['detail']}")
        return f"400: {offer.why}"

    def created(self, crm: str, form: str) -> str:
        """A create in one of the response formats."""
        tenant, vendor = self.tenant, self.tenant.vendors[crm]
        body = tenant.lead(crm)
        held = vendor.leads
        answer = tenant.create(crm, body, form=form)
        expect(answer.status_code, 201, answer.text)
        expect(vendor.leads, held + 1, "leads at the CRM")
        made: Any = answer.json()
        if form == "raw":
            return f"201, the CRM's own body: {', '.join(list(made)[:4])} ..."
        expect(made["title"], body["title"], "title")
        expect("remote_data" in made, form == "unified", "remote_data")
        expect("converted_at" in made, form == "normalized", "fields that have no value")
        return f"201, id {made['id']}, {len(made)} fields"

    def replay(self, crm: str) -> None:
        """One key, sent twice, then with another body."""
        tenant, vendor, key = self.tenant, self.tenant.vendors[crm], f"demo-{crm}"
        body = tenant.lead(crm)

        def twice() -> str:
            posts = vendor.posts
            first, again = tenant.create(crm, body, key=key), tenant.create(crm, body, key=key)
            expect(first.status_code, 201, first.text)
            expect(again.status_code, 201, again.text)
            expect(again.content, first.content, "the replayed body")
            expect(again.headers.get("idempotent-replayed"), "true", "Idempotent-Replayed")
            expect(vendor.posts - posts, 1, "POSTs at the CRM")
            return "201 twice, the same bytes, 1 POST at the CRM"

        def other() -> str:
            posts = vendor.posts
            answer = tenant.create(crm, {**body, vendor.sample.mark: "Another engine"}, key=key)
            expect(answer.status_code, 422, answer.text)
            expect(vendor.posts, posts, "POSTs at the CRM")
            return problem(answer.json())

        self.step("replay with the same Idempotency-Key", crm, twice)
        self.step("the same key with another body", crm, other)

    def adopted(self, crm: str) -> None:
        """The CRM stores the lead and drops the connection."""
        tenant, vendor, key = self.tenant, self.tenant.vendors[crm], f"dropped-{crm}"
        body = {**tenant.lead(crm), vendor.sample.mark: "Engine no. 3"}
        held = vendor.leads

        def dropped() -> str:
            vendor.fault("dropped_after")
            answer = tenant.create(crm, body, key=key)
            expect(answer.status_code, 504, answer.text)
            return problem(answer.json())

        def retried() -> str:
            answer = tenant.create(crm, body, key=key)
            expect(answer.status_code, 201, answer.text)
            expect(vendor.leads, held + 1, "leads at the CRM")
            return f"201, adopted {answer.json()['id']}, still one lead"

        self.step("the CRM stores it and drops the connection", crm, dropped)
        self.step("the retry adopts the stored lead", crm, retried)

    def missing(self, crm: str) -> None:
        """A field that this CRM requires is not there."""
        tenant, vendor = self.tenant, self.tenant.vendors[crm]
        field_name = {"hubspot": "contact", "pipedrive": "title"}[crm]

        def refused() -> str:
            posts = vendor.posts
            body = {name: value for name, value in tenant.lead(crm).items() if name != field_name}
            answer = tenant.create(crm, body)
            expect(answer.status_code, 400, answer.text)
            insight = answer.json()["truto_error_insight"]["missing_required_body_fields"]["value"]
            expect(insight[0].split(".")[0], field_name, "the field named")
            expect(vendor.posts, posts, "POSTs at the CRM")
            return f"{problem(answer.json())}: {', '.join(insight)}"

        self.step("a required field is missing", crm, refused)

    def pods(self, crm: str) -> None:
        """A pod of each kind of record that the CRM has, made from the starter for it, and its page opened."""
        tenant, ids, kinds = self.tenant, self.tenant.story(crm), registry.load(crm).pods

        def made(word: str, plural: str) -> str:
            asked = tenant.vendors[crm].asked
            order = {"crm_type": crm, "crm_object": word, "crm_id": ids[plural], "template_id": STARTERS[plural]}
            answer = tenant.ask("POST", "/v1/pods", order)
            expect(answer.status_code, 200, answer.text)
            asked = tenant.vendors[crm].asked - asked
            page = tenant.client.get(answer.json()["data"]["live_url"])
            expect(page.status_code, 200, "the live page")
            expect(page.headers["content-type"], "text/html; charset=utf-8", "content-type")
            named = next((name for name in NAMES[plural] if name in page.text), None)
            expect(named is not None, True, f"one of {NAMES[plural]} on the page")
            return f"200, {asked} calls to the CRM; the page, {len(page.content)} bytes, says {named}"

        for word, plural in kinds.items():
            self.step(f"a pod from {word}, and its page", crm, partial(made, word, plural))

    def edited(self, crm: str) -> None:
        """A template of the brand's own; a pod that is changed, read anew, found and removed."""
        tenant, ids = self.tenant, self.tenant.story(crm)
        held = dict[str, str]()

        def template() -> str:
            answer = tenant.ask("POST", "/v1/templates", TEMPLATE)
            expect(answer.status_code, 201, answer.text)
            held["template"] = answer.json()["data"]["id"]
            return f"201, {', '.join(answer.json()['data']['variables'])}"

        def preview() -> str:
            answer = tenant.ask("POST", f"/v1/templates/{held['template']}/preview", {})
            expect(answer.status_code, 200, answer.text)
            return f"200, {answer.json()['data']['title']}"

        def pod() -> str:
            order = {"crm_type": crm, "crm_object": "deals", "crm_id": ids["deals"], "template_id": held["template"]}
            answers = [tenant.ask("POST", "/api/v1/pods/new", order, {"idempotency-key": "pod"}) for _ in range(2)]
            expect([each.status_code for each in answers], [200, 200], answers[0].text)
            expect(answers[1].content, answers[0].content, "the replayed body")
            held.update(answers[0].json()["data"])
            return "200 twice, one pod"

        def changed() -> str:
            body = {"variables": {"company.name": "Somebody else"}}
            answer = tenant.ask("PATCH", f"/v1/pods/{held['id']}", body, {"if-match": '"1"'})
            expect(answer.status_code, 200, answer.text)
            expect("Somebody else" in tenant.client.get(held["live_url"]).text, True, "on the page")
            again = tenant.ask("PATCH", f"/v1/pods/{held['id']}", body, {"if-match": '"1"'})
            expect(again.status_code, 412, again.text)
            return "200, on the page; 412 for who saw the version before"

        def refreshed() -> str:
            answer = tenant.ask("POST", f"/v1/pods/{held['id']}/refresh")
            expect(answer.status_code, 200, answer.text)
            expect(answer.json()["data"]["overridden"], ["company.name"], "what stays said otherwise")
            return f"200, version {answer.json()['data']['version']}"

        def found() -> str:
            filters = [{"field": "template_id", "operator": "eq", "value": held["template"]}]
            answer = tenant.ask("POST", "/v1/pods/search", {"filters": filters})
            expect([each["id"] for each in answer.json()["data"]], [held["id"]], answer.text)
            return "200, the one pod"

        def shell() -> str:
            page = tenant.client.get(held["edit_url"])
            expect(page.status_code, 200, page.text[:200])
            return f"200, {len(page.content)} bytes"

        def removed() -> str:
            statuses = [tenant.ask("DELETE", f"/v1/pods/{held['id']}").status_code for _ in range(2)]
            expect(statuses, [204, 404], "the answers")
            expect(tenant.client.get(held["live_url"]).status_code, 404, "the page")
            return "204, then 404; the page is gone"

        for name, check in (
            ("a template of one's own", template),
            ("its preview, of sample data", preview),
            ("a pod from it, twice with one key", pod),
            ("a value said otherwise", changed),
            ("the record read anew", refreshed),
            ("pods of that template", found),
            ("the edit page", shell),
            ("the pod removed", removed),
        ):
            self.step(name, crm, check)

    def doors(self) -> None:
        """Keys that do not open this door."""
        tenant = self.tenant
        crm = "pipedrive"
        body = tenant.lead(crm)

        def scope() -> str:
            narrow = tenant.admin.issue_key(tenant.brand, tenant.user, ["contact.read"])
            answer = tenant.create(crm, body, secret=narrow.secret)
            expect(answer.status_code, 403, answer.text)
            return problem(answer.json())

        def revoked() -> str:
            fresh = tenant.admin.issue_key(tenant.brand, tenant.user, ["lead.write"])
            before = tenant.create(crm, body, secret=fresh.secret)
            expect(before.status_code, 201, before.text)
            tenant.admin.revoke_key(tenant.brand, fresh.id)
            answer = tenant.create(crm, body, secret=fresh.secret)
            expect(answer.status_code, 401, answer.text)
            return f"201, then {problem(answer.json())}"

        self.step("a key with another scope", crm, scope)
        self.step("a key, used, revoked and used again", crm, revoked)


def problem(body: dict[str, Any]) -> str:
    """A problem in a few words."""
    return f"{body['status']} {body['type'].rpartition('#')[2]}"


def head(stack: Stack, tenant: Tenant) -> Iterator[str]:
    """What the demo runs on."""
    yield f"api            {stack.url}"
    yield f"aws            {stack.aws_endpoint} (ministack)"
    yield from (f"{crm:<14} {vendor.url}" for crm, vendor in tenant.vendors.items())
    yield f"brand          {tenant.brand}: 1 user, 1 key, {len(tenant.accounts)} connected accounts"


def main() -> int:
    """Run the demo; the exit status is 0 when every step went as it should."""
    with Stack() as stack:
        tenant = Tenant.on(stack, operator(stack))
        print("\n".join(head(stack, tenant)), end="\n\n")
        event = json.loads((ROOT / "events" / "plan_syncs.json").read_text())
        demo = Demo(tenant, lambda: stack.functions["PlanSyncs"](event))
        demo.run()
        steps, good = len(demo.results), sum(demo.results)
    print(f"\ndemo: {steps} steps, {good} ok")
    return 0 if steps == good else 1


if __name__ == "__main__":
    sys.exit(main())
