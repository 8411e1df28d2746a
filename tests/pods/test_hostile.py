"""Texts by somebody who means harm: programs that eat time and memory, faults of the language's own, ways past the
analysis, and values that want to be markup. `variables` and `prose` alone; what the API makes of them is tested there.
"""

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from switchboard.crm.problem import Problem
from switchboard.pods import filling, prose, variables
from switchboard.pods.blocks import Layout, Said
from switchboard.pods.language import TextError, render
from switchboard.pods.variables import mentions

SIGNS = "".join(chr(0x4E00 + index) for index in range(9_000))
VALUES: dict[str, Any] = {
    "deal": {"id": "1", "name": "Engine", "amount": 12.5, "description": SIGNS, "stage": {"id": "s", "name": "Open"}},
    "contact": {"emails": [{"email": "ada@engines.example", "type": None}] * 3},
}


def cost(work: Callable[[], object]) -> float:
    """Seconds of this process that work takes, however it ends. Once, for what was read is remembered."""
    began = time.process_time()
    with suppress(TextError):
        work()
    return time.process_time() - began


def said(text: str) -> str:
    """What a text says, where it may be used and can be filled in."""
    try:
        mentions(text, Said.PROSE)
        return render(text, Said.PROSE, VALUES)
    except TextError:
        return ""


# --- time and memory -------------------------------------------------------------------------------------------------


def test_a_range_read_backwards_is_not_held_in_memory_before_it_is_found_too_long() -> None:
    text = "{% for a in (1..1000000) reversed %}{% endfor %}"
    said("{{ deal.name }}")  # what is made once is made
    tracemalloc.start()
    try:
        said(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "text",
    [
        "{% for a in (1..10000000) offset: 9999990 %}x{% endfor %}",
        "{% if (1..10000000) contains 'a' %}x{% endif %}",
        "{% if (1..10000000) contains 1.5 %}x{% endif %}",
    ],
)
def test_a_long_range_costs_nothing_before_it_is_refused(text: str) -> None:
    assert cost(lambda: said(text)) < 0.05


def test_a_filter_takes_no_longer_than_what_it_is_given() -> None:
    text = "{{ deal.description | split: '' | uniq | size }}"
    assert cost(lambda: said(text)) < 0.1


def test_loops_one_after_the_other_count_together() -> None:
    with pytest.raises(TextError):
        render("{%for a in(1..2000)%}{%if a%}{%endif%}{%endfor%}" * 40, Said.PROSE, VALUES)


def test_one_text_that_takes_too_long_is_stopped_within() -> None:
    loop = "{%for a in(1..2000)%}{{ deal.name | upcase | downcase }}{%endfor%}"
    layout = Layout.model_validate({"title": loop, "blocks": [{"type": "heading", "text": "x"}]})
    asked: list[None] = []

    def left() -> float:
        asked.append(None)
        return 3 - len(asked)

    with pytest.raises(Problem) as stopped:
        filling.filled(layout, VALUES, left)
    assert stopped.value.faults[0].field == "title", "stopped after the text, not within it"


@pytest.mark.parametrize(
    "text",
    [
        "{{" + " " * 4_000,
        "{% comment %}{{" + " " * 4_000 + "{% endcomment %}",
        "{% comment %}" + "{{ " * 1_600 + "{% endcomment %}",
        "{%" + "a" * 3_000,
        "{% comment %}{{ {% endcomment %}" * 300,
    ],
    ids=["spaces", "spaces in a comment", "many open", "a long name", "many comments"],
)
def test_a_text_is_read_in_the_time_of_its_length(text: str) -> None:
    assert cost(lambda: mentions(text, Said.PROSE)) < 0.1


def test_a_table_is_drawn_no_wider_than_it_was_written() -> None:
    columns = 100
    text = "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "a\n" * 500
    assert len(prose.html(text, prose.Outline())) < 20 * len(text)


@pytest.mark.parametrize(
    "text",
    ["[" * 3_000, "![" * 3_000, "[a](" * 3_000, "*a_ " * 3_000, "> " * 3_000, "<a " * 3_000, "`a" * 3_000],
)
def test_markdown_that_never_ends_is_read_at_once(text: str) -> None:
    assert cost(lambda: prose.html(text, prose.Outline())) < 1


# --- faults ----------------------------------------------------------------------------------------------------------

FAULTY = (
    "{{ deal.name | split: '' | compact: 50 }}",
    "{{ contact.emails | compact: 'nothing' }}",
    "{{ deal.name | split: '' | uniq: 50 }}",
    "{{ deal.amount | number: context: 'x' }}",
    "{{ deal.amount | money: context: 'x' }}",
    "{{ deal.name | first: environment: 'x' }}",
    "{{ contact.emails | join: environment: 'x' }}",
    "{% if deal.stage contains deal.stage %}x{% endif %}",
    "{{ contact.emails | sort: 'type' }}",
    "{{ contact.emails | concat: nil }}",
    "{{ 'nan' | ceil }}",
    "{{ 'inf' | plus: 1 | round }}",
    "{{ (1..99999999999999999999999) | size }}",
    "{% for a in (1..3) limit: -5 %}{% endfor %}",
    "{{ 99999999999999999999999999999999999999999999.5 | number }}",
    "{{ deal.name | replace: contact.emails, nil }}",
    "{{ 'a' | truncate: nil }}",
    "{% break %}",
    "{% if " + " and ".join(["deal.name"] * 1_400) + " %}x{% endif %}",
    "{{ deal" + "[deal" * 960 + "]" * 960 + " }}",
)


@pytest.mark.parametrize("text", FAULTY, ids=[each[:60] for each in FAULTY])
def test_whatever_goes_wrong_in_a_text_is_said_of_that_text(text: str) -> None:
    assert isinstance(said(text), str)  # anything but a TextError ends the test, and would be a 500


# --- ways past the analysis ------------------------------------------------------------------------------------------

EVASIONS = (
    "{% if false %}{% assign NAME = 1 %}{% endif %}{{ NAME }}",
    "{% for a in contact.phones %}{% assign NAME = 1 %}{% endfor %}{{ NAME }}",
    "{% assign [\"['k']\"] = 1 %}{% assign k = 'NAME' %}{{ [k] }}",
)


@pytest.mark.parametrize("text", EVASIONS)
@pytest.mark.parametrize("name", ["now", "language", "deal"])
def test_a_name_that_is_never_given_a_value_does_not_speak_of_what_it_hides(text: str, name: str) -> None:
    assert said(text.replace("NAME", name)) == ""


@pytest.mark.parametrize("text", ["{{ deal.stage }}", "{{ contact.emails }}", "{{ contact.emails | join: ', ' }}"])
def test_what_is_no_text_is_not_said_in_the_language_of_the_machine(text: str) -> None:
    told = said(text)
    assert "None" not in told
    assert "{" not in told


@pytest.mark.parametrize(
    "text",
    [
        "{{ deal.name.__class__ }}",
        "{{ deal.name.__class__.__mro__ }}",
        "{{ deal.stage.keys }}",
        "{{ deal.name['__doc__'] }}",
        "{{ contact.emails | map: '__class__' }}",
    ],
)
def test_nothing_leads_from_a_value_to_the_machine(text: str) -> None:
    assert said(text) == ""


@pytest.mark.parametrize(
    "text",
    [
        "{% assign k = 'name' %}{{ deal[k] }}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% echo deal.name %}",
        "{% capture x %}{% endcapture %}",
        "{% liquid echo deal.name %}",
        "{{ deal.name | safe }}",
        "{{ now }}",
        "{{ language }}",
        "{{ forloop }}",
    ],
)
def test_what_the_analysis_cannot_follow_is_refused(text: str) -> None:
    with pytest.raises(TextError):
        mentions(text, Said.PROSE)


# --- values that want to be markup -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{{ deal.name }}",
        "`{{ deal.name }}`",
        "```\n{{ deal.name }}\n```",
        "<https://a.example/{{ deal.name }}>",
        "| h |\n|---|\n| {{ deal.name }} |",
        "[a](https://a.example/ '{{ deal.name }}')",
        "- {{ deal.name }}\n> {{ deal.name }}",
    ],
)
@pytest.mark.parametrize(
    "value",
    [
        "x` ![i](https://evil.example/i.png) **b**",
        "\n```\n<img src=x onerror=alert(1)>\n![i](https://evil.example/i.png)",
        "a><img src=x> [l](javascript:alert(1))",
        "x | y\n\n# h\n\n[l](https://evil.example)",
        "&#60;script&#62; &lt;b&gt;",
        "[l]: https://evil.example\n\n[l]",
    ],
)
def test_a_value_stays_text_wherever_a_template_puts_it(template: str, value: str) -> None:
    told = render(template, Said.PROSE, {"deal": variables.spoken({"name": value})})
    page = prose.html(told, prose.Outline())
    for sign in ("<img", "<script", "<b>", "<strong", 'href="https://evil', "<h2"):
        assert sign not in page, page
