"""POST /v1/templates/{id}/preview."""

from switchboard.app import preview_template

handler = preview_template()
