"""GET /unified/crm/leads, /pipelines and /stages."""

from switchboard.app import unified_read

handler = unified_read("list")
