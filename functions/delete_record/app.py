"""DELETE /unified/crm/leads/{id}, /pipelines/{id} and /stages/{id}."""

from switchboard.app import unified_read

handler = unified_read("delete")
