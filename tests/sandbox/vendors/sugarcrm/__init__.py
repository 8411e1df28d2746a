"""SugarCRM, REST v11: modules with one set of verbs and a filter language; no pipelines, and stages are an enum."""

from tests.sandbox.vendors.sugarcrm.backdoor import Backdoor


class SugarCrm(Backdoor):
    """The whole instance, with every path."""


FAKE = SugarCrm
