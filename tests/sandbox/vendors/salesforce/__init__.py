"""Salesforce REST API of Sales Cloud: Lead, Contact, Account, Opportunity, User."""

from tests.sandbox.vendors.salesforce.query import Queries


class Salesforce(Queries):
    """The whole org, with every resource."""


FAKE = Salesforce
