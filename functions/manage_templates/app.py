"""POST and GET /v1/templates; GET, PATCH and DELETE /v1/templates/{id}."""

from switchboard.app import manage_templates

handler = manage_templates()
