"""The CRMs by name. Loading one imports that vendor's module and no other."""

from functools import cache
from importlib import import_module

from switchboard.crm.catalog import CRM, Resource
from switchboard.models.schema import Verb

NAMES = (
    "activecampaign",
    "brevo",
    "close",
    "hubspot",
    "insightly",
    "msdynamics",
    "nutshell",
    "pipedrive",
    "pipeliner",
    "salesforce",
    "sugarcrm",
    "zendesk_sell",
    "zoho",
)


@cache
def load(name: str) -> CRM:
    """The CRM of that name; KeyError if there is none."""
    if name not in NAMES:
        raise KeyError(name)
    return import_module(f"switchboard.crm.vendors.{name}").CRM


def offering(plural: str, verb: Verb) -> list[CRM]:
    """The CRMs that can do this with this resource. Loads them all: for error texts and documents only."""
    found = [load(name) for name in NAMES]
    return [
        crm for crm in found if isinstance(resource := crm.resources.get(plural), Resource) and verb in resource.verbs
    ]
