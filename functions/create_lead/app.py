"""POST /unified/crm/leads."""

from switchboard.app import unified_create
from switchboard.models.lead import LEAD

handler = unified_create(LEAD)
