"""Prose: Markdown as people write it, and nothing of what comes with it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.pods import language
from switchboard.pods.prose import LED_TO, TAKEN_FROM, Outline, address, html
from tests.pods.reading import PROSE, Reading
from tests.pods.samples import HOSTILE, MARKDOWN, SCRIPTS

PIECES = st.sampled_from(
    [*HOSTILE, *"<>\"'`[]()!#*_|\\&;:/{}", "\n", "\n\n", "    ", "- ", "> ", "1. ", "```", "| a |\n| - |\n"]
)
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=12).map("".join)


def said(text: str) -> str:
    return html(text, Outline())


class TestMarkdown:
    @pytest.mark.parametrize(
        ("text", "made"),
        [
            ("a **b** *c* ~~d~~ `e`", '<p dir="auto">a <strong>b</strong> <em>c</em> <s>d</s> <code>e</code></p>'),
            ("a\nb", '<p dir="auto">a<br>\nb</p>'),
            ("- a\n- b", '<ul dir="auto">\n<li>a</li>\n<li>b</li>\n</ul>'),
            ("3. a", '<ol start="3" dir="auto">\n<li>a</li>\n</ol>'),
            ("> a", '<blockquote dir="auto">\n<p>a</p>\n</blockquote>'),
            ("```js\na <b>\n```", '<pre dir="ltr"><code>a &lt;b&gt;\n</code></pre>'),
            (
                "[a](https://b.example)",
                '<p dir="auto"><a href="https://b.example" rel="noopener noreferrer nofollow">a</a></p>',
            ),
            ("[a](mailto:b@c.example)", 'href="mailto:b@c.example"'),
            ("<https://b.example>", 'href="https://b.example"'),
            (
                "![a](https://b.example/c.png)",
                '<img src="https://b.example/c.png" alt="a" loading="lazy" decoding="async">',
            ),
            ("| a |\n| -: |\n| 1 |", '<td class="to-right">1</td>'),
        ],
    )
    def test_it_becomes_what_it_means(self, text: str, made: str) -> None:
        assert made in said(text)

    @pytest.mark.parametrize(
        "address", ["http://a.example", "javascript:x", "//a.example", "/a", "a", "ftp://a", "data:,a"]
    )
    def test_a_link_elsewhere_stays_text(self, address: str) -> None:
        assert "<a" not in said(f"[text]({address})")
        assert address in said(f"[text]({address})")

    def test_a_picture_from_elsewhere_is_what_it_shows(self) -> None:
        assert said("![a <b>](mailto:c@d.example)") == '<p dir="auto">a &lt;b&gt;</p>\n'

    def test_headings_stand_below_the_title_of_the_page_and_in_order(self) -> None:
        made = said("###### a\n\n# b\n\n### c\n\n#### d\n\nf\n===")
        levels = [tag for tag, _ in Reading(made).tags if tag.startswith("h")]
        assert levels == ["h2", "h2", "h3", "h4", "h2"]

    def test_one_text_goes_on_where_the_last_has_ended(self) -> None:
        outline = Outline()
        assert html("# a", outline).startswith("<h2")
        assert html("## b", outline).startswith("<h3")


class TestHarm:
    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_none_comes_through(self, text: str) -> None:
        assert Reading(said(text)).strange(PROSE) == []

    @given(TEXTS)
    def test_whatever_goes_in_no_tag_comes_out_that_is_not_ours(self, text: str) -> None:
        assert Reading(said(text)).strange(PROSE) == []

    @given(TEXTS)
    def test_a_value_is_said_letter_for_letter(self, text: str) -> None:
        """What a record holds is no Markdown: not one character of it makes a tag, or is lost."""
        value = language.cleaned(text)
        read = Reading(said("x " + language.escaped(value) + " x"))
        assert read.strange(PROSE) == []
        assert {tag for tag, _ in read.tags} <= {"p", "br"}
        assert read.text.split() == ["x", *value.split(), "x"]

    @pytest.mark.parametrize("text", [*SCRIPTS, *MARKDOWN], ids=range(len(SCRIPTS) + len(MARKDOWN)))
    def test_html_is_text(self, text: str) -> None:
        assert Reading(said(language.escaped(text))).text.split() == text.split()

    @pytest.mark.parametrize(
        "text", ["[" * 20_000, "> " * 5_000, "*a" * 10_000, "`" * 20_000, "![" * 10_000, "<" * 20_000, "- " * 5_000]
    )
    def test_what_is_hard_to_read_is_read_all_the_same(self, text: str) -> None:
        assert Reading(said(text)).strange(PROSE) == []


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "https://a.example", "https://a.example:8443/b?c=d#e", " https://a.example ", "HTTPS://a.example",
            "https://ü.example/ß", "mailto:a@b.example", "mailto:a@b.example?subject=c", "tel:+4420", "https://[::1]/",
        ],
    )  # fmt: skip
    def test_those_that_lead_somewhere_are_kept(self, text: str) -> None:
        assert address(text, LED_TO) == text.strip()

    @pytest.mark.parametrize(
        "text",
        [
            "", " ", "a", "http://a.example", "javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\nscript:alert(1)",
            "https:", "https://", "https:///a", "https:a.example", "https:\\\\a.example", "https://a.example\\b",
            "https://a.example@b.example", "https://a:b@c.example", "//a.example", "data:text/html,a", "blob:https://a",
            "mailto:", "tel:", "mailto://a", "https://[::1", "\x01https://a.example", "https://a\tb.example",
        ],
    )  # fmt: skip
    def test_nonsense_and_harm_are_not(self, text: str) -> None:
        assert address(text, LED_TO) is None

    def test_a_picture_comes_over_https_alone(self) -> None:
        assert address("https://a.example/b.png", TAKEN_FROM)
        assert address("mailto:a@b.example", TAKEN_FROM) is None

    def test_spaces_and_quotes_are_written_as_addresses_write_them(self) -> None:
        written = address('mailto:a@b.example?subject=It\'s "on"', LED_TO)
        assert written == "mailto:a@b.example?subject=It's%20%22on%22"

    @given(st.text())
    def test_what_is_kept_has_a_scheme_of_ours_and_nothing_that_ends_it(self, text: str) -> None:
        found = address(f"https://a.example/{text}", LED_TO)
        assert found is None or not set(found) & set(' <>"\\\n\r\t\x00')
