"""The live page of a pod: what is shown, as HTML. All of it is strangers' text, and nothing of it is taken for HTML."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from switchboard.pods import prose
from switchboard.pods.look import HTML, STYLE
from switchboard.pods.prose import LED_TO, TAKEN_FROM, Outline, address

FILMS = (".mp4", ".webm", ".ogv", ".m4v", ".mov")
"""Endings of addresses whose films a browser plays by itself."""
EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"?&%]+@[^\s@<>()\[\],;:\\\"?&%/]+\.[^\s@<>()\[\],;:\\\"?&%/.]+")
PHONE = re.compile(r"\+?[0-9][0-9 ()./–-]{2,30}", re.ASCII)
LEFTWARD = frozenset({"ar", "ckb", "dv", "fa", "he", "ku", "ps", "sd", "ug", "ur", "yi"})
"""Languages that are written from right to left."""
SUMMARY = 300
"""So many characters of a description are for those who list or preview pages."""

NAMES = ("next", "done", "open", "watch", "note", "success", "warning", "untitled")
WORDS = {
    "en": ("Next", "Done", "Planned", "Watch", "Note", "Good news", "Please note", "Untitled"),
    "de": (
        "Als Nächstes",
        "Erledigt",
        "Geplant",
        "Ansehen",
        "Hinweis",
        "Gute Nachricht",
        "Bitte beachten",
        "Ohne Titel",
    ),
    "es": ("Siguiente", "Hecho", "Previsto", "Ver", "Nota", "Buenas noticias", "Atención", "Sin título"),
    "fr": ("Prochaine étape", "Fait", "Prévu", "Voir", "Note", "Bonne nouvelle", "À noter", "Sans titre"),
    "it": ("Prossimo passo", "Fatto", "Previsto", "Guarda", "Nota", "Buone notizie", "Attenzione", "Senza titolo"),
    "nl": ("Volgende stap", "Gedaan", "Gepland", "Bekijken", "Opmerking", "Goed nieuws", "Let op", "Zonder titel"),
    "pt": ("A seguir", "Feito", "Previsto", "Ver", "Nota", "Boas notícias", "Atenção", "Sem título"),
}
"""The few words of the page's own. In other languages they are English, and marked as such."""

type Item = Mapping[str, Any]
type Drawn = dict[str, Any]


def live(shown: Item) -> str:
    """The live page of a pod as it is shown."""
    base = shown["language"].partition("-")[0]
    words = dict(zip(NAMES, WORDS.get(base, WORDS["en"]), strict=True))
    title = shown["title"].strip() or words["untitled"]
    description = shown["description"].strip()
    blocks = _drawn(shown["blocks"], Outline(), 2)
    return (
        _templates()
        .get_template("live.html")
        .render(
            title=title,
            description=description,
            summary=description if len(description) <= SUMMARY else f"{description[: SUMMARY - 1].rstrip()}…",
            language=shown["language"],
            direction="rtl" if base in LEFTWARD else "ltr",
            accent=shown["accent"],
            url=address(shown["url"], TAKEN_FROM),
            image=next((each["url"] for each in _each(blocks) if each["type"] == "image"), None),
            sections=_sections(blocks),
            words=words,
            foreign=base not in WORDS,
            style=Markup(STYLE),  # noqa: S704  a file of ours; the policy holds its hash
        )
    )


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(HTML),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _sections(blocks: Sequence[Drawn]) -> list[Sequence[Drawn]]:
    """The blocks from each heading to the next, whether it stands alone or over contacts or a timeline."""
    starts = [index for index, each in enumerate(blocks) if each.get("level") == 2]
    return [blocks[start:end] for start, end in pairwise([0, *starts, len(blocks)]) if start < end]


def _each(blocks: Iterable[Drawn]) -> Iterable[Drawn]:
    for block in blocks:
        yield block
        for column in block.get("columns", ()):
            yield from _each(column)


def _drawn(blocks: Iterable[Item], outline: Outline, level: int) -> list[Drawn]:
    """Blocks as the templates draw them; those that have nothing to say are left out."""
    found: list[Drawn] = []
    for block in blocks:
        drawn = DRAWN[block["type"]](block, outline, level)
        if drawn:
            found.append({"type": block["type"], **drawn})
    return found


def _heading(block: Item, outline: Outline, _level: int) -> Drawn | None:
    text = block["text"].strip()
    return {"text": text, "level": outline.level(block.get("level", 2))} if text else None


def _text(block: Item, outline: Outline, _level: int) -> Drawn | None:
    return {"prose": _prose(block["text"], outline)} if block["text"].strip() else None


def _picture(block: Item, _outline: Outline, _level: int) -> Drawn | None:
    url = address(block["url"], TAKEN_FROM)
    return {"url": url, "alt": block["alt"].strip(), "caption": block.get("caption", "").strip()} if url else None


def _video(block: Item, _outline: Outline, _level: int) -> Drawn | None:
    url = address(block["url"], TAKEN_FROM)
    if not url:
        return None
    parts = urlsplit(url)
    return {
        "url": url,
        "title": block["title"].strip() or parts.netloc,
        "poster": address(block.get("poster", ""), TAKEN_FROM),
        "plays": parts.path.lower().endswith(FILMS),
        "host": parts.hostname,
    }


def _button(block: Item, _outline: Outline, _level: int) -> Drawn | None:
    url = address(block["url"], LED_TO)
    return {"text": block["text"].strip() or url, "url": url} if url else None


def _callout(block: Item, outline: Outline, _level: int) -> Drawn | None:
    return {**prosaic, "tone": block.get("tone", "note")} if (prosaic := _text(block, outline, 2)) else None


def _contacts(block: Item, outline: Outline, level: int) -> Drawn | None:
    if not (people := [person for each in block["people"] if (person := _person(each))]):
        return None
    return {**_title(block, outline, level), "people": people}


def _person(person: Item) -> Drawn | None:
    name, title, email, phone = (person.get(each, "").strip() for each in ("name", "title", "email", "phone"))
    if not (name or email or phone):
        return None
    return {
        "name": name or email or phone,
        "initials": initials(name),
        "title": title,
        "email": email,
        "mailto": f"mailto:{quote(email, safe='@')}" if EMAIL.fullmatch(email) else None,
        "phone": phone,
        "tel": f"tel:{re.sub('[^0-9+]', '', phone)}" if PHONE.fullmatch(phone) else None,
    }


def initials(name: str) -> str:
    """The first letters of a person's first and last name; nothing where there is no letter."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0].upper()[:1] for word in (words if len(words) < 3 else [words[0], words[-1]]))


def _timeline(block: Item, outline: Outline, level: int) -> Drawn | None:
    said = [each for each in block["steps"] if any(each.get(part, "").strip() for part in ("title", "date", "text"))]
    if not said:
        return None
    titled = _title(block, outline, level)
    upcoming = next((index for index, each in enumerate(said) if not each.get("done")), None)
    steps = [
        {
            "title": each["title"].strip(),
            "date": each.get("date", "").strip(),
            "prose": _prose(each["text"], outline) if each.get("text", "").strip() else "",
            "state": "done" if each.get("done") else "next" if index == upcoming else "open",
        }
        for index, each in enumerate(said)
    ]
    return {**titled, "steps": steps}


def _columns(block: Item, outline: Outline, _level: int) -> Drawn | None:
    columns = [drawn for each in block["columns"] if (drawn := _drawn(each, outline, 3))]
    return {"columns": columns} if columns else None


def _title(block: Item, outline: Outline, level: int) -> Drawn:
    title = block.get("title", "").strip()
    return {"title": title, "level": outline.level(level) if title else 0}


def _prose(text: str, outline: Outline) -> Markup:
    return Markup(prose.html(text, outline))  # noqa: S704  what prose.py is there for


DRAWN: Mapping[str, Callable[[Item, Outline, int], Drawn | None]] = {
    "heading": _heading,
    "text": _text,
    "image": _picture,
    "video": _video,
    "button": _button,
    "callout": _callout,
    "contacts": _contacts,
    "timeline": _timeline,
    "columns": _columns,
}
