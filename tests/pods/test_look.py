"""What all pages share: styles, policies, headers and the edit page's files."""

import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256

import pytest

from switchboard.pods import look
from tests.pods.reading import PAGE, Reading
from tests.pods.samples import HOSTILE, ID

HEAVY = ("jinja2", "markdown_it", "liquid", "pydantic", "babel", "boto3", "httpx")


def test_it_imports_nothing_heavy() -> None:
    code = f"import sys, switchboard.pods.look; print(*[name for name in {HEAVY} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20)
    assert told.stdout.split() == []


class TestPolicies:
    def test_the_live_page_may_show_its_own_style_and_pictures_and_no_more(self) -> None:
        digest = b64encode(sha256(look.STYLE.encode()).digest()).decode()
        assert (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src https:; media-src https:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        ) == look.LIVE_POLICY

    def test_the_edit_page_may_run_its_own_script_and_talk_to_us_and_no_more(self) -> None:
        assert look.EDIT_POLICY == (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

    def test_no_policy_allows_what_stands_in_the_page(self) -> None:
        assert "unsafe" not in look.LIVE_POLICY + look.EDIT_POLICY

    def test_every_page_is_kept_from_indexes_frames_and_referrers(self) -> None:
        assert look.HEADERS["x-robots-tag"].startswith("noindex")
        assert look.HEADERS["x-content-type-options"] == "nosniff"
        assert look.HEADERS["x-frame-options"] == "DENY"
        assert look.HEADERS["referrer-policy"] == "no-referrer"
        assert "permissions-policy" in look.HEADERS
        assert "strict-transport-security" in look.HEADERS
        assert all(name == name.lower() for name in look.HEADERS)


class TestStyle:
    def test_it_ends_nothing_and_asks_for_nothing(self) -> None:
        for style in (
            look.STYLE,
            *(each.content.decode() for each in look.ASSETS.values() if "css" in each.media_type),
        ):
            assert "</" not in style
            assert not re.search(r"url\(|@import|https?:", style)
            assert style.count("{") == style.count("}")

    def test_every_accent_has_its_tones(self) -> None:
        from switchboard.pods.blocks import ACCENTS

        for accent in ACCENTS:
            assert look.TONES.count(f".accent-{accent} {{") == 2, "by day and by night"

    def test_the_renderers_name_is_short_and_of_its_sources(self) -> None:
        assert re.fullmatch("[0-9a-f]{12}", look.RENDERER)
        assert all((look.HERE / name).is_file() for name in look.DRAWN_BY)


class TestAssets:
    def test_their_names_tell_their_content(self) -> None:
        assert [re.sub("[0-9a-f]{12}", "", name) for name in look.ASSETS] == ["edit..js", "edit..css"]
        for name, asset in look.ASSETS.items():
            assert sha256(asset.content).hexdigest().startswith(name.split(".")[1])

    def test_they_are_small(self) -> None:
        assert sum(len(asset.content) for asset in look.ASSETS.values()) < 50_000

    def test_the_script_takes_nothing_for_html_or_code(self) -> None:
        script = next(asset.content.decode() for name, asset in look.ASSETS.items() if name.endswith(".js"))
        for forbidden in (
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "localStorage",
            "style=",
        ):
            assert forbidden not in script, forbidden


class TestEdit:
    def test_it_names_its_pod_and_its_files_and_holds_nothing_else(self) -> None:
        html = look.edit(ID)
        read = Reading(html)
        assert dict(read.tags)["body"]["data-pod"] == ID
        script, sheet = look.ASSETS
        assert dict(read.tags)["script"] == {"src": f"/pods/assets/{script}", "defer": ""}
        assert dict(read.tags)["link"] == {"rel": "stylesheet", "href": f"/pods/assets/{sheet}"}
        assert "$" not in html
        assert read.odd == []
        assert "style" not in {tag for tag, _ in read.tags}

    @pytest.mark.parametrize("id", [*HOSTILE, "$script", "${sheet}"], ids=range(len(HOSTILE) + 2))
    def test_whatever_the_address_says_stays_in_its_attribute(self, id: str) -> None:
        clean, read = Reading(look.edit(ID)), Reading(look.edit(id))
        assert [(tag, sorted(attributes)) for tag, attributes in read.tags] == [
            (tag, sorted(attributes)) for tag, attributes in clean.tags
        ]
        assert dict(read.tags)["body"]["data-pod"] == id


class TestGone:
    def test_it_says_so_under_the_live_pages_policy(self) -> None:
        read = Reading(look.gone())
        assert read.texts["h1"] == "There is no page here"
        assert read.texts["style"] == look.STYLE
        assert read.strange({**PAGE, "main": frozenset({"class"})}) == []
