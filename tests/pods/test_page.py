"""The live page: what is shown of a pod, what is left out, and that nothing of it is more than text."""

from itertools import pairwise
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.pods import blocks, look, page, starters
from tests.pods.reading import PAGE, Reading
from tests.pods.samples import HOSTILE, URL, kitchen, started

KILOBYTE = 1_000
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=12), min_size=1, max_size=4).map("".join)


def shown(*parts: dict[str, Any], **other: Any) -> str:
    said: dict[str, Any] = {"title": "A title", "description": "", "blocks": list(parts)}
    return page.live({**kitchen(), **said, **other})


def main(html: str) -> str:
    return html[html.index("<main>") : html.index("</main>")]


class TestHarm:
    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_text_stays_text_in_every_block(self, text: str) -> None:
        read = Reading(page.live(kitchen(text)))
        assert read.strange(PAGE) == []
        assert read.texts["h1"].split() == text.split()
        assert read.texts["title"].split() == text.split()

    @given(TEXTS)
    def test_whatever_goes_in_no_tag_comes_out_that_is_not_ours(self, text: str) -> None:
        assert Reading(page.live(kitchen(text))).strange(PAGE) == []

    @given(TEXTS)
    def test_an_address_is_one_or_is_left_out(self, text: str) -> None:
        html = shown(
            {"type": "button", "text": "b", "url": text},
            {"type": "image", "url": text, "alt": ""},
            {"type": "video", "url": f"https://a.example/{text}", "title": "", "poster": text},
            {"type": "contacts", "people": [{"name": text, "email": text, "phone": text}]},
            url=text,
            accent=text,
            language=text,
        )
        assert Reading(html).strange(PAGE) == []

    def test_there_is_no_script_and_one_style(self) -> None:
        html = page.live(kitchen("<script>"))
        assert "<script" not in html
        assert "style=" not in html
        assert html.count("<style>") == 1
        assert Reading(html).texts["style"] == look.STYLE


class TestHead:
    def test_it_tells_what_the_page_is_and_that_nobody_should_index_it(self) -> None:
        html = page.live(kitchen('A "title" & more', language="de", accent="plum"))
        metas = [attributes for tag, attributes in Reading(html).tags if tag == "meta"]
        told = {each.get("name") or each.get("property"): each.get("content") for each in metas}
        assert html.startswith('<!doctype html>\n<html lang="de" dir="ltr">\n<head>\n<meta charset="utf-8">')
        assert told["og:title"] == told["description"] == told["og:description"] == 'A "title" & more'
        assert told["og:type"] == "website"
        assert told["og:url"] == URL
        assert told["og:image"] == "https://pictures.example/a.png"
        assert told["robots"] == "noindex, nofollow"
        assert told["viewport"] == "width=device-width, initial-scale=1"
        assert '<body class="accent-plum">' in html

    def test_what_there_is_not_is_not_told(self) -> None:
        html = shown(url="http://plain.example")
        for name in ("og:description", "og:url", "og:image", '"description"'):
            assert name not in html

    def test_a_long_description_is_whole_on_the_page_and_cut_for_those_who_list_it(self) -> None:
        html = shown(description="word " * 100)
        assert f"{('word ' * 100).strip()}</p>" in html
        assert 'content="' + ("word " * 59).strip() + " word…" in html

    def test_a_page_without_a_title_has_one_all_the_same(self) -> None:
        assert '<h1 dir="auto">Ohne Titel</h1>' in shown(title=" ", language="de-AT")

    @pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("ar", "rtl"), ("he-IL", "rtl"), ("xx", "ltr")])
    def test_the_page_runs_the_way_its_language_does(self, language: str, direction: str) -> None:
        assert f'<html lang="{language}" dir="{direction}">' in shown(language=language)

    def test_our_own_words_are_the_pages_language_or_marked_as_english(self) -> None:
        step = {"type": "timeline", "steps": [{"title": "a", "done": True}]}
        assert "Erledigt" in shown(step, language="de")
        assert "<span>Done</span>" in shown(step, language="en-GB")
        assert '<span lang="en">Done</span>' in shown(step, language="pl")

    def test_every_language_has_every_word(self) -> None:
        assert {len(words) for words in page.WORDS.values()} == {len(page.NAMES)}


class TestBlocks:
    def test_there_is_a_way_to_draw_each_kind_that_there_is(self) -> None:
        kinds = {
            each
            for kind in blocks.Strict.__subclasses__()
            if kind.__module__ == blocks.__name__ and "type" in kind.model_fields
            for each in get_args(kind.model_fields["type"].annotation)
        }
        assert kinds == set(page.DRAWN)

    @pytest.mark.parametrize(
        "block",
        [
            {"type": "heading", "text": " ", "level": 2},
            {"type": "text", "text": "\n"},
            {"type": "callout", "text": "", "tone": "note"},
            {"type": "image", "url": "", "alt": "a", "caption": "b"},
            {"type": "image", "url": "http://a.example/b.png", "alt": "a"},
            {"type": "video", "url": "javascript:a", "title": "a"},
            {"type": "button", "text": "a", "url": "mailto:"},
            {"type": "button", "text": "a", "url": "#top"},
            {"type": "contacts", "title": "a", "people": [{"name": "", "title": "b"}]},
            {"type": "timeline", "title": "a", "steps": [{"title": "", "date": " ", "text": ""}]},
            {"type": "columns", "columns": [[{"type": "text", "text": ""}], []]},
        ],
    )
    def test_what_says_nothing_is_left_out(self, block: dict[str, Any]) -> None:
        assert main(shown(block)).split() == ["<main>"]

    @pytest.mark.parametrize("ending", ["mp4", "webm", "ogv", "m4v", "mov", "MP4", "mp4?token=a"])
    def test_a_film_plays_where_its_address_is_that_of_a_file(self, ending: str) -> None:
        html = shown({"type": "video", "url": f"https://a.example/b.{ending}", "title": "c"})
        assert '<video controls preload="none" playsinline src=' in html
        assert "poster" not in html

    def test_another_film_is_a_link_to_where_it_plays(self) -> None:
        html = main(shown({"type": "video", "url": "https://a.example/watch?v=.mp4", "title": "c"}))
        assert "<video" not in html
        assert Reading(html).text.split() == ["Watch:", "c", "a.example"]

    def test_a_person_can_be_written_to_and_called(self) -> None:
        html = shown(
            {"type": "contacts", "people": [{"name": "Ann B. Cee", "email": "a+b@c.example", "phone": "+44 (0)20-79"}]}
        )
        assert 'href="mailto:a%2Bb@c.example"' in html
        assert 'href="tel:+4402079"' in html
        assert ">AC</span>" in html

    @pytest.mark.parametrize(
        ("email", "phone"), [("a@b", "none"), ("a@b.example?bcc=c@d.example", "12"), ("a b@c.example", "ring me")]
    )
    def test_what_is_no_address_is_told_but_no_link(self, email: str, phone: str) -> None:
        html = main(shown({"type": "contacts", "people": [{"name": "a", "email": email, "phone": phone}]}))
        assert "<a " not in html
        assert f"<bdi>{phone}</bdi>" in html

    def test_the_first_step_that_is_not_done_is_the_next(self) -> None:
        steps = [{"title": str(index), "done": index in (0, 2)} for index in range(4)]
        html = main(shown({"type": "timeline", "steps": steps}))
        states = [attributes["class"] for tag, attributes in Reading(html).tags if tag == "li"]
        assert states == ["done", "next", "done", "open"]

    def test_headings_come_in_order_wherever_they_stand(self) -> None:
        html = page.live(kitchen("# Markdown"))
        levels = [int(tag[1]) for tag, _ in Reading(html).tags if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))

    def test_a_heading_begins_a_section(self) -> None:
        text = {"type": "text", "text": "a"}
        html = main(
            shown(text, {"type": "heading", "text": "b"}, text, {"type": "heading", "text": "c", "level": 3}, text)
        )
        assert html.count("<section>") == 2


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ann Bee", "AB"),
        ("Ann", "A"),
        ("ann van der bee", "AB"),
        ("", ""),
        ("\U0001f600 :)", ""),
        ("ß", "S"),
        ("1 Ann", "A"),
        ("山田 太郎", "山太"),
    ],
)
def test_a_face_is_the_first_letters_of_a_name(name: str, letters: str) -> None:
    assert page.initials(name) == letters


@pytest.mark.parametrize("id", starters.IDS)
def test_a_page_is_small(id: str) -> None:
    assert len(page.live(started(id)).encode()) < 25 * KILOBYTE
