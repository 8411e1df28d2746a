"""Hosts: nothing that a token endpoint or an operator names may lead a request to somebody else."""

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from switchboard.crm import registry
from switchboard.crm.catalog import CRM, Host, alone, fixed

OWN = Host("https://api.example.com", ("salesforce.com", "pipedrive.com"))
CRMS = {name: registry.load(name) for name in registry.NAMES}
NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


def tricks(domain: str) -> list[str]:
    return [
        "",
        domain,
        f"http://acme.{domain}",
        f"HTTPS://acme.{domain}",
        f"ftp://acme.{domain}",
        f"//acme.{domain}",
        f"https:acme.{domain}",
        f"https:///acme.{domain}",
        f"https://evil-{domain}",
        f"https://evil{domain}",
        f"https://{domain}.evil.com",
        f"https://acme.{domain}.evil.com",
        f"https://acme.{domain}.",
        f"https://acme.{domain}:443",
        f"https://acme.{domain}:8443",
        f"https://acme.{domain}:",
        f"https://user@acme.{domain}",
        f"https://user:word@acme.{domain}",
        f"https://acme.{domain}@evil.com",
        f"https://evil.com@acme.{domain}",
        f"https://acme.{domain}/services",
        f"https://evil.com/.{domain}",
        f"https://evil.com?.{domain}",
        f"https://evil.com#.{domain}",
        f"https://acme.{domain}?x=1",
        f"https://acme.{domain}#x",
        f" https://acme.{domain}",
        f"https://acme.{domain} ",
        f"https://acme.{domain}\n",
        f"https://ac\tme.{domain}",
        f"https://127.0.0.1/.{domain}",
        f"https://evil.com\r\nhost: acme.{domain}",
        "https://127.0.0.1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://localhost",
        "https://",
        "null",
    ]


ODD_CHARACTERS = [
    "\\",
    "%2f",
    "%00",
    "\x00",
    " ",
    ";",
    "{",
    "*",
    "_",
    ",",
    "é",
    "。",
    "ⓐ",
    "..",
    "/",
    "／",
    "＃",
    "[",
    "]",
]


def test_what_is_only_read_is_neither_made_nor_removed() -> None:
    lacks = fixed("Because.", "https://example.com/why")
    assert set(lacks) == {"create", "delete"}
    assert {each.why for each in lacks.values()} == {"Because."}


def test_a_vendor_may_have_one_host_for_everything() -> None:
    host = Host("https://api.example.com")
    assert alone(host) == {"api": host, "token": host}


class TestHost:
    @given(labels=st.lists(LABEL, min_size=1, max_size=3), domain=st.sampled_from(OWN.domains))
    def test_a_host_below_a_domain_of_the_vendor_is_allowed(self, labels: list[str], domain: str) -> None:
        assert OWN.allows(f"https://{'.'.join(labels)}.{domain}")

    def test_the_vendors_own_host_is_allowed(self) -> None:
        assert OWN.allows("https://api.example.com")
        assert not OWN.allows("https://acme.api.example.com")
        assert not OWN.allows("https://example.com")

    def test_a_slash_at_the_end_changes_nothing(self) -> None:
        assert OWN.allows("https://acme.pipedrive.com/")

    @pytest.mark.parametrize("origin", tricks("salesforce.com"), ids=repr)
    def test_a_trick_is_not_allowed(self, origin: str) -> None:
        assert not OWN.allows(origin)

    @pytest.mark.parametrize("odd", ODD_CHARACTERS, ids=repr)
    def test_a_host_with_a_character_that_no_host_has_is_not_allowed(self, odd: str) -> None:
        """What readers of URLs disagree about: a backslash is a slash to some of them."""
        for origin in (f"https://evil.com{odd}.salesforce.com", f"https://a{odd}b.salesforce.com"):
            assert OWN.allows(origin) is False

    def test_a_label_is_never_empty(self) -> None:
        assert not OWN.allows("https://.salesforce.com")

    def test_what_is_no_url_at_all_is_refused_rather_than_raised(self) -> None:
        for origin in ("https://[", "https://[x].salesforce.com", "https://evil.com／.salesforce.com", "://", "[]"):
            assert OWN.allows(origin) is False

    @given(
        origin=st.text(max_size=40)
        | st.builds(
            "{}{}{}{}".format,
            st.sampled_from(["https://", "http://", "https:/", "//", ""]),
            st.text(st.sampled_from("ab.@:/\\?#%[]é ＃。-"), max_size=12),
            st.sampled_from([".salesforce.com", "salesforce.com", ".evil.com", ""]),
            st.sampled_from(["", "/", "@evil.com", ":80", ".", "\n"]),
        )
    )
    @example("https://acme.salesforce.com")
    def test_whatever_is_allowed_is_a_plain_host_below_a_domain(self, origin: str) -> None:
        if OWN.allows(origin):
            host = urlsplit(origin).hostname or ""
            assert NAME.fullmatch(host)
            assert origin.rstrip("/") == f"https://{host}"
            assert host == "api.example.com" or host.endswith((".salesforce.com", ".pipedrive.com"))

    def test_a_vendor_without_domains_has_its_own_host_alone(self) -> None:
        host = Host("https://api.example.com")
        assert host.allows("https://api.example.com")
        assert not host.allows("https://acme.example.com")

    @pytest.mark.parametrize("crm", CRMS.values(), ids=CRMS)
    def test_every_host_of_a_crm_is_plain_https_and_allows_itself(self, crm: CRM) -> None:
        for host in crm.hosts.values():
            assert host.default or host.domains
            if host.default:
                assert NAME.fullmatch(host.default.removeprefix("https://"))
                assert host.allows(host.default)
            for domain in host.domains:
                assert domain.count(".") >= 1
                assert not [origin for origin in tricks(domain) if host.allows(origin)]
