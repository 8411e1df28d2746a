"""ActiveCampaign (API v3): contacts for leads, accounts for companies, dealGroups and dealStages for pipelines."""

from tests.sandbox.vendors.activecampaign.custom_data import CustomData


class ActiveCampaign(CustomData):
    """The whole account, with every path."""


FAKE = ActiveCampaign
