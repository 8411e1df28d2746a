"""Reads HTML as strictly as it was written, so that what a page holds can be compared with what it may hold."""

from html.parser import HTMLParser

LINK = frozenset({"href", "rel"})
PROSE: dict[str, frozenset[str]] = {
    **dict.fromkeys(("br", "hr", "strong", "em", "s", "code", "li", "thead", "tbody", "tr"), frozenset[str]()),
    **dict.fromkeys(("p", "ul", "blockquote", "pre", "table", "h2", "h3", "h4", "h5", "h6"), frozenset({"dir"})),
    **dict.fromkeys(("th", "td"), frozenset({"class"})),
    "ol": frozenset({"dir", "start"}),
    "a": LINK | {"title"},
    "img": frozenset({"src", "alt", "loading", "decoding"}),
}
"""What prose may be made of: tags, and the attributes of each."""

PAGE: dict[str, frozenset[str]] = {
    **PROSE,
    **dict.fromkeys(("head", "title", "style", "main", "section", "figure", "address", "bdi"), frozenset[str]()),
    "html": frozenset({"lang", "dir"}),
    "meta": frozenset({"charset", "name", "content", "property"}),
    "body": frozenset({"class"}),
    "header": frozenset({"class"}),
    "h1": frozenset({"dir"}),
    "figcaption": frozenset({"dir"}),
    "div": frozenset({"class", "role"}),
    "p": frozenset({"dir", "class"}),
    "ul": frozenset({"dir", "class"}),
    "li": frozenset({"class"}),
    "span": frozenset({"class", "lang", "aria-hidden"}),
    "a": LINK | {"title", "class", "dir"},
    "video": frozenset({"controls", "preload", "playsinline", "src", "poster", "aria-label"}),
}
"""What a live page may be made of."""

EMPTY = frozenset({"meta", "img", "br", "hr", "link", "input"})


class Reading(HTMLParser):
    """What HTML holds: its tags with their attributes, its text, and whatever else there should not be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags = list[tuple[str, dict[str, str]]]()
        self.text = ""
        self.texts = dict[str, str]()
        self.odd = list[str]()
        self.open = list[str]()
        self.feed(html)
        self.close()
        self.odd += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if len({name for name, _ in attrs}) < len(attrs):
            self.odd.append(f"<{tag}> has an attribute twice")
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.odd.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data

    def handle_comment(self, data: str) -> None:
        self.odd.append(f"<!--{data}-->")

    def handle_pi(self, data: str) -> None:
        self.odd.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.odd.append(f"<![{data}]>")

    def strange(self, allowed: dict[str, frozenset[str]]) -> list[str]:
        """What is not among the tags, attributes and addresses that there may be."""
        found = list(self.odd)
        for tag, attributes in self.tags:
            if tag not in allowed:
                found.append(f"<{tag}>")
                continue
            found += [f"<{tag} {name}>" for name in attributes if name not in allowed[tag]]
            for name, schemes in {
                "href": ("https://", "mailto:", "tel:"),
                "src": "https://",
                "poster": "https://",
            }.items():
                if name in attributes and not attributes[name].lower().startswith(schemes):
                    found.append(f"<{tag} {name}={attributes[name]!r}>")
        return found
