"""POST /v1/contacts/search and GET /v1/contacts/{id}."""

from switchboard.app import search_contacts

handler = search_contacts()
