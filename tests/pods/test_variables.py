"""Liquid variables: what a text mentions, what it says, and where it is stopped."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchboard.pods import variables
from switchboard.pods.blocks import Said
from switchboard.pods.language import OUTPUT, TextError, render
from switchboard.pods.variables import Mention, mentions, missing, named, spoken

VALUES: dict[str, Any] = {
    "deal": {
        "name": "Engine no. 2",
        "amount": 12500,
        "currency": "GBP",
        "close_date": "2026-12-31",
        "tags": ["a", "b"],
    },
    "company": {"name": "*Analytical* _Engines_ <b>", "stage": {"name": "Open"}},
    "contact": {"emails": [{"email": "ada@engines.example"}]},
}
MARKS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | MARKS, lambda inner: st.lists(inner) | st.dictionaries(MARKS, inner)
)


def line(text: str, values: Any = VALUES, language: str = "en") -> str:
    return render(text, Said.LINE, values, language)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no variable", set[str]()),
        ("{{ deal.name }}", {"deal.name"}),
        ("{{ deal.stage.name }}", {"deal.stage.name"}),
        ("{{ deal.name | default: company.name }}", {"deal.name", "company.name"}),
        ("{% if owner.email %}{{ contact.phone }}{% endif %}", {"owner.email", "contact.phone"}),
        ("{% for each in contact.emails %}{{ each.email }}{% endfor %}", {"contact.emails"}),
        ("{{ crm.hs_lead_name }} {{ crm['a field'] }}", {"crm.hs_lead_name", "crm.a field"}),
        ("{% comment %}{{ nobody.x }}{% endcomment %}{% raw %}{{ nobody.x }}{% endraw %}", set[str]()),
    ],
)
def test_what_a_text_mentions_is_found_without_filling_it_in(text: str, found: set[str]) -> None:
    assert {str(each) for each in mentions(text, Said.LINE)} == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ nobody.name }}", "nobody is no variable; there are deal, company, contact, lead, owner and crm"),
        ("{{ language }}", "language is no variable"),
        ("{{ deal }}", "deal alone says nothing"),
        ("{{ deal.nme }}", "deal.nme is no variable; deal has amount"),
        ("{{ owner.remote_data }}", "owner.remote_data is no variable"),
        ("{{ crm }}", "crm alone says nothing"),
        ("{{ deal[company.name] }}", "is worked out"),
        ("{{ deal.name | shout }}", "shout is no filter; there are abs"),
        ("{{ deal.name", "is not Liquid at line 1"),
        ("\n\n{% if %}{% endif %}", "is not Liquid at line 3"),
        ("{% include 'x' %}", "unexpected tag"),
        ("{% render 'x' %}", "unexpected tag"),
        ("{% tablerow i in (1..3) %}x{% endtablerow %}", "unexpected tag"),
        ("{% echo deal.name %}", "unexpected tag"),
        ("{% assign x = lead.title %}{{ x }}", "unexpected tag"),
        ("{% for i in (1..3) %}x{% endfor %}", "no ranges"),
        ("{{ deal.amount | money: context: 'x' }}", "money takes nothing that is called context"),
        ("{{ crm['" + "x" * 201 + "'] }}", "so long"),
        ("{{ crm.a" + ".b" * 150 + " }}" + "{{ crm['" + "x y" * 80 + "'] }}", "a name of more than 200 characters"),
        ("{{ deal.name" + " " * 60 + "}}", "so many spaces"),
        ("{{ deal.name }}" * 1_001, "too many"),
        ("{% cycle deal.name %}", "unexpected tag"),
        ("{% increment x %}", "unexpected tag"),
        ("{% liquid\necho deal.name %}", "unexpected tag"),
        ("{% if a %}" * 40 + "{% endif %}" * 40, "is not Liquid"),
    ],
)
def test_a_text_that_cannot_be_used_says_why(text: str, why: str) -> None:
    with pytest.raises(TextError) as told:
        mentions(text, Said.LINE)
    assert why in str(told.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ deal.name }}", "Engine no. 2"),
        ("  many \n lines ", "many lines"),
        ("{{ deal.description }}", ""),
        ("{{ deal.description | default: 'nothing yet' }}", "nothing yet"),
        ("{{ deal.tags | join: ', ' | upcase }}", "A, B"),
        ("{% for each in contact.emails %}{{ each.email }}{% endfor %}", "ada@engines.example"),
        ("{% if deal.amount > 10000 %}big{% else %}small{% endif %}", "big"),
        ("{{ deal.amount | money: deal.currency }}", "£12,500"),
        ("{{ deal.amount | plus: 0.5 | money: deal.currency }}", "£12,500.50"),
        ("{{ deal.amount | money }}", "12,500"),
        ("{{ deal.name | money: 'GBP' }}", "Engine no. 2"),
        ("{{ deal.amount | money: 'nonsense' }}", "12,500"),
        ("{{ deal.amount | number }}", "12,500"),
        ("{{ deal.close_date | date }}", "December 31, 2026"),
        ("{{ deal.close_date | date: 'short' }}", "12/31/26"),
        ("{{ deal.name | date }}", "Engine no. 2"),
        ("mailto:a@b.c?subject={{ deal.name | url_encode }}", "mailto:a@b.c?subject=Engine+no.+2"),
    ],
)
def test_a_line_says_its_variables(text: str, said: str) -> None:
    assert line(text) == said


@pytest.mark.parametrize(
    ("language", "said"), [("de", "12.500\xa0£ 31. Dezember 2026"), ("en-GB", "£12,500 31 December 2026")]
)
def test_sums_and_days_are_written_as_the_language_wants(language: str, said: str) -> None:
    text = "{{ deal.amount | money: deal.currency }} {{ deal.close_date | date }}"
    assert line(text, language=language) == said.replace("\xa0", " ")


def test_a_value_in_prose_says_itself_to_the_letter() -> None:
    told = render("**{{ company.name }}**", Said.PROSE, VALUES)
    assert told == r"**\*Analytical\* \_Engines\_ \<b\>**"
    assert render("{{ company.name | default: '*x*' }}", Said.PROSE, {}) == r"\*x\*"


@given(value=MARKS)
def test_no_value_turns_into_markdown(value: str) -> None:
    from switchboard.pods import prose

    told = render("{{ deal.name }}", Said.PROSE, {"deal": spoken({"name": value})})
    page = prose.html(told, prose.Outline())
    for tag in (
        "<a",
        "<img",
        "<h",
        "<ul",
        "<ol",
        "<em",
        "<strong",
        "<code",
        "<pre",
        "<blockquote",
        "<hr",
        "<table",
        "<del",
    ):
        assert tag not in page, page


BOMBS = (
    "{% for a in (1..1000000000) %}x{% endfor %}",
    "{% for a in (1..100) %}{% for b in (1..100) %}{% for c in (1..100) %}x{% endfor %}{% endfor %}{% endfor %}",
    "{{ (1..100000000) | join: 'x' }}",
    "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'" * 9 + " }}",
    "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x %}" * 60 + "{{ x }}",
    "{{ 9" + " | times: 999999999999" * 400 + " }}",
    "{{ 1 | divided_by: 0 }}",
    "{{ 'x' | slice: 1, 2, 3, 4 }}",
    "{{ 'x' | date: 1, 2, 3 }}",
    "{{ '1e999999' | times: 2 }}",
    "{{ 'a' | times: 5 | sort | map: 'x' | where: 'y' }}",
)


@pytest.mark.parametrize("text", BOMBS, ids=[each[:50] for each in BOMBS])
def test_a_text_that_would_go_on_for_ever_or_grow_without_end_is_stopped(text: str) -> None:
    try:
        told = line(text)
    except TextError as stopped:
        told = str(stopped)
    assert 0 < len(told) <= OUTPUT


class TestSpoken:
    def test_most_have_one_of_it(self) -> None:
        item = {"emails": [{"type": "x"}, {"email": "a@b.c"}], "phone_numbers": [{"number": "1"}, {"number": "2"}]}
        assert {name: spoken(item)[name] for name in ("email", "phone")} == {"email": "a@b.c", "phone": "1"}
        assert "email" not in spoken({"emails": []})

    def test_what_nobody_sees_is_left_out(self) -> None:
        odd = "a\u202eb\u2066c\x00d\x1be\r\nf\u200fg"
        assert spoken({"name": odd, "deep": {"list": [odd]}}) == {
            "name": "abcde\nf\u200fg",
            "deep": {"list": ["abcde\nf\u200fg"]},
        }

    @given(ANYTHING)
    def test_whatever_a_record_holds_can_be_spoken_of(self, value: Any) -> None:
        item = spoken({"name": value, "emails": value})
        render("{{ deal.name }} {{ deal.emails.first.email }}", Said.PROSE, {"deal": item})


class TestNames:
    def test_a_name_is_a_variable(self) -> None:
        assert named("deal.stage.name") == Mention("deal", ("stage", "name"))
        assert named("crm.a.b") == Mention("crm", ("a.b",))

    @pytest.mark.parametrize(
        "name", ["", "deal", "crm", "deal.", ".name", "deal..name", "nobody.x", "deal.nme", "crm."]
    )
    def test_a_name_that_is_none_is_refused(self, name: str) -> None:
        with pytest.raises(TextError):
            named(name)

    def test_what_is_said_otherwise_leaves_the_rest_and_the_record_as_they_were(self) -> None:
        values = {"deal": {"name": "A", "stage": {"id": "1", "name": "Open"}}}
        over = variables.laid_over(values, {"deal.stage.name": "Won", "company.name": "X", "crm.a.b": "c"})
        assert over == {
            "deal": {"name": "A", "stage": {"id": "1", "name": "Won"}},
            "company": {"name": "X"},
            "crm": {"a.b": "c"},
        }
        assert values == {"deal": {"name": "A", "stage": {"id": "1", "name": "Open"}}}

    def test_what_has_no_value_is_missing(self) -> None:
        told = [
            Mention("deal", ("name",)),
            Mention("deal", ("tags",)),
            Mention("owner", ("name",)),
            Mention("deal", ("a", "b")),
        ]
        assert missing({"deal": {"name": "A", "tags": [], "a": "text"}}, told) == [
            "deal.a.b",
            "deal.tags",
            "owner.name",
        ]
