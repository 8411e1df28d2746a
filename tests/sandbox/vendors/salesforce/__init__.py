"""Salesforce REST API of Sales Cloud: Lead, Contact, Account, Opportunity, User."""

from tests.sandbox.vendors.salesforce.backdoor import Backdoor


class Salesforce(Backdoor):
    """The whole org, with every resource."""


FAKE = Salesforce
