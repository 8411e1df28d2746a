"""Markdown as HTML, for pages that strangers' text flows into: no HTML of theirs, no script, no unsafe address."""

import re
from collections.abc import MutableMapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

LED_TO = frozenset({"https", "mailto", "tel"})
"""Where a reader may be led."""
TAKEN_FROM = frozenset({"https"})
"""Where a page may take a picture or a film from."""
REL = "noopener noreferrer nofollow"
"""On every link: where it leads learns nothing about the page, whose address is a secret of sorts."""

UNSAFE = re.compile(r"[\s\\\x00-\x20\x7f-\x9f]")
ENCODED = str.maketrans({mark: f"%{ord(mark):02X}" for mark in ' "<>^`{|}'})
"""What people write in an address all the same, as in `mailto:a@b.example?subject=Hello there`."""
CELLS = 3_000
"""So many cells the tables of one text may come to."""
ALIGN = re.compile("text-align:(left|center|right)")

type Env = MutableMapping[str, Any]


class Outline:
    """Gives headings their levels in the order of the page: below its title, and never two levels deeper at once."""

    def __init__(self) -> None:
        self.last = 1

    def level(self, wanted: int) -> int:
        """The level of the next heading that wants to be at this one."""
        self.last = max(2, min(wanted, self.last + 1, 6))
        return self.last


def address(text: str, schemes: frozenset[str]) -> str | None:
    """An address that a page may hold; None where it is empty, nonsense or of another scheme."""
    text = text.strip().translate(ENCODED)
    if UNSAFE.search(text):
        return None
    try:
        parts = urlsplit(text)
        named = (
            bool(parts.hostname) and "@" not in parts.netloc
        )  # https://bank.example@evil.example leads to the latter
    except ValueError:
        return None
    if parts.scheme not in schemes:
        return None
    return text if (named if parts.scheme == "https" else not parts.netloc and len(parts.path) > 1) else None


def html(text: str, outline: Outline) -> str:
    """Markdown as HTML. What would be an unsafe link or HTML stays what it is: text. So does a table that would be far
    larger than it was written: rows are filled up to the width of the first."""
    lines = text.split("\n")
    cells = max(line.count("|") for line in lines) * len(lines)
    return _markdown(tables=cells <= CELLS).render(text, {"outline": outline})


@cache
def _markdown(*, tables: bool) -> MarkdownIt:
    found = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False}).enable("strikethrough")
    if tables:
        found.enable("table")
    found.validateLink = lambda url: address(url, LED_TO) is not None
    found.core.ruler.push("dressed", _dressed)
    found.add_render_rule("image", _image)
    found.add_render_rule("fence", _code)
    found.add_render_rule("code_block", _code)
    return found


def _dressed(state: StateCore) -> None:
    """Levels for headings; each part its own direction; classes where markdown-it writes styles, which we forbid."""
    outline: Outline = state.env["outline"]
    for token in state.tokens:
        if token.type == "heading_open":
            level = outline.level(int(token.tag[1]) + 1)
            token.tag = f"h{level}"
        elif token.type == "heading_close":
            token.tag = f"h{outline.last}"
        elif token.type in ("th_open", "td_open"):
            aligned = ALIGN.fullmatch(str(token.attrs.pop("style", "")))
            if aligned and aligned[1] != "left":
                token.attrSet("class", f"to-{aligned[1]}")
        if token.level == 0 and token.nesting == 1:
            token.attrSet("dir", "auto")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", REL)


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Env) -> str:
    alt = renderer.renderInlineAsText(tokens[index].children or [], options, env)
    source = address(str(tokens[index].attrs.get("src", "")), TAKEN_FROM)
    if source is None:
        return escapeHtml(alt)
    return f'<img src="{escapeHtml(source)}" alt="{escapeHtml(alt)}" loading="lazy" decoding="async">'


def _code(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: Env) -> str:
    return f'<pre dir="ltr"><code>{escapeHtml(tokens[index].content)}</code></pre>\n'
