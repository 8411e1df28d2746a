"""The OpenAPI 3.1 document of the API, made from the routes, the records and the CRMs' declarations.

`make docs` writes it to openapi.json; a test compares.
"""

from switchboard.api.openapi import capabilities, pods, records, terms, unified
from switchboard.api.openapi.terms import Json
from switchboard.api.routes import PODS, RECORDS, ROUTES

VERSION = "1.0.0"


def operation(path: str, method: str) -> Json:
    """What is done by this method at this path, from the module that tells of it."""
    if path in RECORDS:
        return records.operation(path, method)
    told = pods if path in PODS else capabilities if path == capabilities.PATH else unified
    return told.operation(path, method)


def document() -> Json:
    """The whole document."""
    paths = {path: {m.lower(): operation(path, m) for m in methods} for path, methods in ROUTES.items()}
    tags = dict.fromkeys(tag for methods in paths.values() for each in methods.values() for tag in each["tags"])
    surfaces = (unified, capabilities, pods, records)
    schemas = {name: each for told in surfaces for name, each in told.schemas().items()} | {"Problem": terms.PROBLEM}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Switchboard",
            "version": VERSION,
            "summary": "One API in front of thirteen CRMs, in your own AWS account.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "https://{api}", "variables": {"api": {"default": "api.example.com"}}}],
        "security": [{"key": []}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "bearerFormat": "trpt_<brand>_<random>"}},
            "parameters": terms.PARAMETERS
            | unified.PARAMETERS
            | capabilities.PARAMETERS
            | pods.PARAMETERS
            | records.PARAMETERS,
            "headers": terms.HEADERS | unified.HEADERS | pods.HEADERS | records.HEADERS,
            "responses": {
                "problem": unified.problem(),
                "pods_problem": pods.problem(),
                "records_problem": records.problem(),
            },
            "schemas": dict(sorted(schemas.items())),
        },
    }
