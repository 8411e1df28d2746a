"""Signing a request, and trading a refresh token for another: what a token endpoint may say and what it means."""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given

from switchboard.crm import registry
from switchboard.crm.auth import OUR_CLIENT, Basic, Header, OAuth2, Token
from switchboard.crm.catalog import CRM
from switchboard.crm.problem import Kind, Outcome, Problem
from switchboard.crm.wire import Request, Response
from tests.crm.samples import SEEDS, Random, bent
from tests.talk import Reply, ok, script

CREDENTIALS = {
    "access_token": "old-access",
    "refresh_token": "old-refresh",
    "api_key": "the-key",
    "username": "ada@example.com",
}
APP = {"client_id": "the-id", "client_secret": "the-secret"}
SECRETS = [*CREDENTIALS.values(), APP["client_secret"]]
CRMS = {name: registry.load(name) for name in registry.NAMES}
REFRESHING = {
    name: (crm, scheme) for name, crm in CRMS.items() for scheme in crm.auth.values() if isinstance(scheme, OAuth2)
}
HTML = "<html>old-refresh the-secret</html>"

each_crm = pytest.mark.parametrize("crm", CRMS.values(), ids=CRMS)
each_oauth = pytest.mark.parametrize(("crm", "scheme"), REFRESHING.values(), ids=REFRESHING)


def refresh(scheme: OAuth2, reply: Reply) -> tuple[Token, Request]:
    partner = script(reply)
    token = partner.hold(scheme.refresh(CREDENTIALS, APP))
    [request] = partner.requests
    return token, request


def sent(request: Request) -> Mapping[str, Any]:
    """What a token endpoint is told, in a form or in JSON."""
    assert (request.form is None) != (request.json is None)
    return request.json if request.form is None else request.form


def refused(scheme: OAuth2, reply: Reply) -> Problem:
    with pytest.raises(Problem) as caught:
        refresh(scheme, reply)
    return caught.value


class TestSigning:
    def test_a_key_goes_into_its_header_behind_its_prefix(self) -> None:
        assert Header().sign(CREDENTIALS) == {"authorization": "Bearer the-key"}
        assert Header("x-api-token", "").sign(CREDENTIALS) == {"x-api-token": "the-key"}

    def test_an_access_token_is_a_bearer_token(self) -> None:
        assert OAuth2("/token").sign(CREDENTIALS) == {"authorization": "Bearer old-access"}

    def test_basic_joins_user_and_password(self) -> None:
        both = Basic("api_key", "access_token").sign(CREDENTIALS)["authorization"]
        alone = Basic().sign({"api_key": "naïve"})["authorization"]
        assert b64decode(both.removeprefix("Basic ")).decode() == "the-key:old-access"
        assert b64decode(alone.removeprefix("Basic ")).decode() == "naïve:"

    @each_crm
    def test_every_scheme_of_a_crm_signs_with_headers_alone(self, crm: CRM) -> None:
        for scheme in crm.auth.values():
            headers = scheme.sign(CREDENTIALS)
            assert headers
            assert all(name == name.lower() and "\n" not in value for name, value in headers.items())
            assert CREDENTIALS["refresh_token"] not in str(headers)


class TestRefresh:
    @each_oauth
    def test_the_refresh_token_is_traded_at_the_token_host(self, crm: CRM, scheme: OAuth2) -> None:
        _, request = refresh(scheme, ok({"access_token": "new"}))
        assert (request.method, request.to) == ("POST", "token")
        assert request.path.startswith("/")
        assert "://" not in request.path
        assert sent(request)["grant_type"] == "refresh_token"
        assert sent(request)["refresh_token"] == "old-refresh"
        assert not request.query, "an address is logged where it is seen"
        assert not request.safe, "the old refresh token may be dead after the first"
        assert crm.hosts["token"].default or crm.hosts["token"].domains

    @each_oauth
    def test_our_client_goes_where_the_vendor_wants_it(self, crm: CRM, scheme: OAuth2) -> None:
        _, request = refresh(scheme, ok({"access_token": "new"}))
        if scheme.client_in == "form":
            assert (sent(request)["client_id"], sent(request)["client_secret"]) == ("the-id", "the-secret")
            assert request.headers == {}
        else:
            assert set(sent(request)) == {"grant_type", "refresh_token"}
            scheme_, _, word = request.headers["authorization"].partition(" ")
            assert (scheme_, b64decode(word)) == ("Basic", b"the-id:the-secret")

    @each_oauth
    def test_a_rotated_refresh_token_replaces_the_old_one(self, crm: CRM, scheme: OAuth2) -> None:
        token, _ = refresh(scheme, ok({"access_token": "new", "refresh_token": "next", "expires_in": 900}))
        assert (token.access_token, token.refresh_token, token.expires_in) == ("new", "next", 900)

    @each_oauth
    @pytest.mark.parametrize("told", [{}, {"refresh_token": None}, {"refresh_token": ""}], ids=repr)
    def test_the_old_refresh_token_stays_where_none_comes_back(
        self, crm: CRM, scheme: OAuth2, told: dict[str, Any]
    ) -> None:
        assert refresh(scheme, ok({"access_token": "new"} | told))[0].refresh_token == "old-refresh"

    @each_oauth
    def test_a_lifetime_that_is_not_told_is_the_vendors_usual_one(self, crm: CRM, scheme: OAuth2) -> None:
        assert refresh(scheme, ok({"access_token": "new"}))[0].expires_in == scheme.lifetime
        assert refresh(scheme, ok({"access_token": "new", "expires_in": None}))[0].expires_in == scheme.lifetime

    @pytest.mark.parametrize(("told", "seconds"), [(60, 60), ("3600", 3600), (1799.5, 1799)])
    def test_a_lifetime_is_read_however_it_is_written(self, told: Any, seconds: int) -> None:
        assert refresh(OAuth2("/t"), ok({"access_token": "new", "expires_in": told}))[0].expires_in == seconds

    @pytest.mark.parametrize("told", ["soon", "", [], {}, "1e400"], ids=repr)
    def test_a_lifetime_that_cannot_be_read_is_the_usual_one(self, told: Any) -> None:
        scheme = OAuth2("/t", lifetime=7)
        assert refresh(scheme, ok({"access_token": "new", "expires_in": told}))[0].expires_in == 7

    @each_oauth
    def test_the_accounts_host_is_taken_from_the_field_that_names_it(self, crm: CRM, scheme: OAuth2) -> None:
        body = {"access_token": "new"} | ({scheme.origin: "https://acme.example"} if scheme.origin else {})
        assert refresh(scheme, ok(body))[0].origin == ("https://acme.example" if scheme.origin else None)
        assert refresh(scheme, ok({"access_token": "new"}))[0].origin is None

    @pytest.mark.parametrize("told", [7, {"a": 1}, ["https://x"]], ids=repr)
    def test_a_host_that_is_no_text_is_no_host(self, told: Any) -> None:
        assert refresh(OAuth2("/t", origin="api"), ok({"access_token": "new", "api": told}))[0].origin is None


class TestRefusal:
    @each_oauth
    @pytest.mark.parametrize("status", [400, 401])
    def test_an_invalid_grant_needs_the_account_to_be_connected_again(
        self, crm: CRM, scheme: OAuth2, status: int
    ) -> None:
        body = {"error": "invalid_grant", "error_description": "expired access/refresh token"}
        problem = refused(scheme, Response(status, {}, body))
        assert problem.kind is Kind.NEEDS_REAUTH
        assert problem.outcome is Outcome.NOTHING
        assert problem.remote
        assert (problem.remote.status, problem.remote.code) == (status, "invalid_grant")

    @each_oauth
    def test_a_bad_request_in_the_vendors_own_words_needs_it_too(self, crm: CRM, scheme: OAuth2) -> None:
        body = {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"}
        assert refused(scheme, Response(400, {}, body)).kind is Kind.NEEDS_REAUTH

    @each_oauth
    @pytest.mark.parametrize("code", sorted(OUR_CLIENT))
    def test_a_refused_app_of_ours_does_not_cost_the_account(self, crm: CRM, scheme: OAuth2, code: str) -> None:
        for status in (400, 401):
            assert refused(scheme, Response(status, {}, {"error": code})).kind is Kind.CRM_UNAVAILABLE

    @each_oauth
    def test_a_throttle_does_not_cost_the_account(self, crm: CRM, scheme: OAuth2) -> None:
        problem = refused(scheme, Response(429, {}, {"error": "invalid_grant"}))
        assert problem.kind is Kind.CRM_RATE_LIMITED
        assert problem.retry_after

    @each_oauth
    @pytest.mark.parametrize(
        "response",
        [
            Response(500, {}, None),
            Response(502, {}, HTML, readable=False),
            Response(503, {}, {"error": "temporarily_unavailable"}),
            Response(302, {"location": "https://x"}, None),
            ok(None),
            ok({}),
            ok([]),
            ok({"access_token": None}),
            ok({"access_token": 7}),
            Response(200, {}, HTML, readable=False),
        ],
        ids=lambda response: f"{response.status} {response.body}"[:30],
    )
    def test_an_outage_does_not_cost_the_account(self, crm: CRM, scheme: OAuth2, response: Response) -> None:
        assert refused(scheme, response).kind is Kind.CRM_UNAVAILABLE

    @each_oauth
    @pytest.mark.parametrize(
        "response",
        [Response(408, {}, None), Response(403, {}, HTML, readable=False), Response(404, {}, HTML, readable=False)],
        ids=["408", "403 page", "404 page"],
    )
    def test_a_time_out_or_a_page_of_a_proxy_does_not_cost_the_account(
        self, crm: CRM, scheme: OAuth2, response: Response
    ) -> None:
        assert refused(scheme, response).kind is not Kind.NEEDS_REAUTH

    def test_an_error_that_is_no_text_is_a_problem_like_any_other(self) -> None:
        for error in ({"code": "invalid_grant"}, ["invalid_grant"], 7, None):
            assert refused(OAuth2("/t"), Response(400, {}, {"error": error})).kind is Kind.NEEDS_REAUTH

    @given(random=SEEDS)
    def test_any_answer_of_a_token_endpoint_is_a_token_or_a_problem(self, random: Random) -> None:
        words = ["access_token", "refresh_token", "expires_in", "error", "origin", "invalid_grant"]
        usual = {"access_token": "new", "refresh_token": "next", "expires_in": 7, "origin": "https://x", "error": "e"}
        response = Response(random.choice([200, 200, 400, 401, 500]), {}, bent(random, words, usual))
        try:
            token, _ = refresh(OAuth2("/t", origin="origin"), response)
        except Problem:
            return
        assert isinstance(token.access_token, str)
        assert isinstance(token.refresh_token, str)
        assert token.expires_in is None or isinstance(token.expires_in, int)
        assert token.origin is None or isinstance(token.origin, str)

    @each_oauth
    @pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
    def test_no_secret_is_in_the_problem_though_the_endpoint_repeats_it(
        self, crm: CRM, scheme: OAuth2, status: int
    ) -> None:
        said = f"refresh token {' and '.join(SECRETS)} is not valid"
        echo = {"error_description": said, "message": said, "refresh_token": "old-refresh"}
        for body in (echo, echo | {"error": "invalid_grant"}, said, [said]):
            try:
                refresh(scheme, Response(status, {"x-echo": said}, body, readable=not isinstance(body, str)))
            except Problem as problem:
                told = json.dumps([problem.__dict__, repr(problem), str(problem)], default=str)
                assert not [secret for secret in SECRETS if secret in told]

    @each_oauth
    def test_no_secret_is_in_the_code_of_the_problem(self, crm: CRM, scheme: OAuth2) -> None:
        """`error` may be a sentence, and the code of a refusal is stored with the account."""
        problem = refused(scheme, Response(400, {}, {"error": "refresh token old-refresh is not valid"}))
        assert "old-refresh" not in json.dumps(problem.__dict__, default=str)
