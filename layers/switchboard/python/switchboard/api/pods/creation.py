"""Making pods: a record of a CRM and a template become a page."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from switchboard.api.call import Call
from switchboard.api.keys import Caller
from switchboard.api.pods import envelope, keyed, record
from switchboard.api.pods.envelope import Means, absent, answered, fault, strangers, success, text
from switchboard.api.pods.record import Subject
from switchboard.api.reply import Reply
from switchboard.crm.problem import Fault
from switchboard.pods import filling, look, page, starters, subject, variables
from switchboard.pods.blocks import Layout
from switchboard.pods.variables import Mention
from switchboard.ports import Account, Brand, Claim, Deadline, Page, Pod, Services, User

FIELDS = (*record.FIELDS, "template_id", "owner_email")
TEMPLATE_ID = 64
ADOPTED = 1
TITLE = 500
"""So much of a title stands in lists."""


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request to make a pod."""

    subject: Subject
    template: str
    owner_email: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Order":
        """The order in a body. Raises every fault of it at once."""
        faults = list[Fault]()
        found = record.named(body, faults)
        template = text(body, "template_id", faults, most=TEMPLATE_ID)
        owner = text(body, "owner_email", faults, required=False, most=320).strip()
        if owner and ("@" not in owner or any(mark.isspace() for mark in owner)):
            faults.append(fault("owner_email", "invalid_value", "is not an e-mail address"))
        faults += strangers(body, FIELDS)
        if faults or found is None:
            raise filling.refused(faults)
        return cls(found, template, owner)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The template of a pod: its id, its layout, and the variables that it mentions."""

    id: str
    layout: Layout
    mentioned: set[Mention]


def create(call: Call, means: Means) -> Reply:
    """`POST /v1/pods`."""
    services = means.services

    def work(caller: Caller) -> Reply:
        body = call.json()
        order = Order.of(body)
        brand = services.access.brand(caller.brand)
        account = record.account(brand, order.subject)
        owner = owned(services, caller, brand, order.owner_email)
        chosen = template(services, caller.brand, order.template)

        def made(request: str, doubt: Claim | None) -> Reply:
            found = adopted(services, caller.brand, request, doubt) if doubt else None
            pod = found or make(call, means, order, account=account, owner=owner, chosen=chosen, request=request)
            return success(links(call, services, pod))

        return keyed.run(call, caller, keyed.machine(services, means.deadline), body, made)

    return answered(call, services, "pod", "write", work)


def owned(services: Services, caller: Caller, brand: Brand, email: str) -> User:
    """Whose the pod is to be: who is named, or who made the key. Raises that there is no such brand or user."""
    if not brand.exists:
        raise absent("Brand")
    by = {"email": email} if email else {"id": caller.admission.owner}
    owner = services.access.user(caller.brand, **by)
    if owner is None:
        raise absent("User")
    return owner


def template(services: Services, brand: str, id: str) -> Chosen:
    """A template: one that comes with us, or one of the brand's own."""
    starter = starters.load().get(id)
    if starter is not None:
        return Chosen(id, *filling.checked(Layout, layout_of(starter)))
    found = services.templates.template(brand, id)
    if found is None:
        raise absent("Template")
    return Chosen(id, *filling.checked(Layout, found.layout))


def adopted(services: Services, brand: str, request: str, doubt: Claim) -> Pod | None:
    """The pod that an earlier run of the same request has made, if it came so far."""
    found, _ = services.pods.search(brand, {"once": request}, before=None, limit=ADOPTED)
    return next((pod for pod in found if pod.created_at >= int(doubt.claimed_at)), None)


def links(call: Call, services: Services, pod: Pod) -> dict[str, str]:
    """A pod by its id and its two addresses."""
    return {
        "id": pod.id,
        "edit_url": f"{base(call, services)}/pods/edit/{pod.id}",
        "live_url": f"{base(call, services)}/pods/{pod.id}/live",
    }


def base(call: Call, services: Services) -> str:
    """Where readers find us."""
    return services.public_url.rstrip("/") or f"https://{call.domain}"


def make(call: Call, means: Means, order: Order, *, account: Account, owner: User, chosen: Chosen, request: str) -> Pod:
    """A new pod, stored with its page."""
    values = read(call, means, order.subject, account, chosen.mentioned)
    now = int(means.services.clock.now())
    pod = Pod(
        brand=account.brand,
        id=f"{now:08x}{means.services.word()}",
        crm=order.subject.crm.name,
        object=order.subject.object,
        crm_id=order.subject.id,
        account=account.id,
        template=chosen.id,
        owner=owner.email,
        created_at=now,
        updated_at=now,
        refreshed_at=now,
        once=request,
        layout=plain(chosen.layout),
        values=values,
    )
    return stored(pod, means.services, links(call, means.services, pod)["live_url"], means.deadline, seen=None)


def read(call: Call, means: Means, about: Subject, account: Account, mentioned: set[Mention]) -> dict[str, Any]:
    """What the CRM tells of the record, as far as it is mentioned."""
    wanted = subject.wanted(about.resource.plural, mentioned)
    return subject.kept(record.values(call, about, wanted, account, means), mentioned)


def refreshed(call: Call, means: Means, pod: Pod, brand: Brand) -> Pod:
    """The pod with its record read anew, stored if nobody changed it meanwhile."""
    _, mentioned = filling.checked(Layout, pod.layout)
    about, account = record.again(pod, brand)
    values, now = read(call, means, about, account, mentioned), int(means.services.clock.now())
    newer = replace(pod, values=values, refreshed_at=now, updated_at=now, version=pod.version + 1)
    address = links(call, means.services, pod)["live_url"]
    return stored(newer, means.services, address, means.deadline, seen=pod.version)


def stored(pod: Pod, services: Services, address: str, deadline: Deadline, *, seen: int | None) -> Pod:
    """The pod with its title and what it lacks, and its page made anew: both stored, if it stood as it was seen."""
    layout, mentioned = filling.checked(Layout, pod.layout)
    values = variables.laid_over(pod.values, pod.overrides)
    shown = {**filling.filled(layout, values, lambda: deadline.left), "id": pod.id, "url": address}
    html = page.live(shown).encode()
    if len(html) > filling.PAGE_BYTES:
        detail = f"makes a page of {len(html)} bytes, more than {filling.PAGE_BYTES}"
        raise filling.refused([fault("blocks", "too_large", detail)])
    pod = replace(pod, title=shown["title"][:TITLE], missing=tuple(variables.missing(values, mentioned)))
    etag = sha256(html).hexdigest()[:20]
    if not services.pods.save(pod, Page(gzip.compress(html, mtime=0), etag, look.RENDERER, shown), seen=seen):
        raise envelope.changed()
    return pod


def plain(layout: Layout) -> dict[str, Any]:
    """A layout as it is stored: without what only a template has."""
    return layout_of(layout.model_dump())


def layout_of(template: Mapping[str, Any]) -> dict[str, Any]:
    """What a page is made of, out of a template."""
    return {name: value for name, value in template.items() if name in Layout.model_fields}
