"""Pods to look at: one with a block of every kind, and text by somebody who means harm."""

from typing import Any

from switchboard.pods import blocks, filling, starters, variables

ID = "69f0bafc4cc54b506b0355d8"
URL = f"https://pods.example/pods/{ID}/live"

SCRIPTS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    '"><svg onload=alert(3)>',
    "' onmouseover='alert(4)' x='",
    "</style><script>alert(5)</script><style>",
    "</title><script>alert(6)</script>",
    "<!-- <a href=javascript:alert(7)>no</a> -->",
    "{{ 7 | times: 7 }}<iframe srcdoc='<script>alert(8)</script>'></iframe>",
    "&lt;script&gt;alert(9)&lt;/script&gt;",
)
"""What runs where text is taken for HTML."""
MARKDOWN = (
    "[run](javascript:alert(10))",
    "[run](  JaVaScRiPt:alert(11))",
    "[run](data:text/html;base64,PHNjcmlwdD5hbGVydCgxMik8L3NjcmlwdD4=)",
    "<javascript:alert(13)>",
    "![x](javascript:alert(14))",
    '![x](https://a.example/x.png" onload="alert(15))',
    '[x](https://a.example/ "\\" onclick=alert(16)")',
    "[a]: javascript:alert(17)\n\n[a]",
    "[x](vbscript:alert(18)) [y](file:///etc/passwd) [z](//evil.example) [w](http://plain.example)",
    "[bank](https://bank.example@evil.example/)",
    "[x](&#106;avascript:alert(19)) [y](java&Tab;script:alert(20))",
    '``` "><script>alert(21)</script>\ncode\n```',
    "| a |\n| :-: |\n| <b onclick=alert(22)>b</b> |",
)
"""What runs where Markdown is made without care."""
ODD = (
    "\u202egnp.exe\u202c",
    "\u2066a\u2069",
    "a\u0301" * 50,
    "\U0001f469\u200d\U0001f467" * 40,
    "W" * 10_000,
    "\u05e9\u05dc\u05d5\u05dd (abc) \u0661\u0662",
    "line\u2028line\x0b",
)
"""What spoils a page without running."""
HOSTILE = (*SCRIPTS, *MARKDOWN, *ODD)


def kitchen(said: str = "Said", **other: Any) -> dict[str, Any]:
    """A shown pod with a block of every kind, each text of which says the same."""
    plain: list[dict[str, Any]] = [
        {"type": "heading", "text": said, "level": 2},
        {"type": "text", "text": said},
        {"type": "heading", "text": said, "level": 3},
        {"type": "image", "url": "https://pictures.example/a.png", "alt": said, "caption": said},
        {"type": "video", "url": "https://films.example/a.mp4", "title": said, "poster": "https://films.example/a.jpg"},
        {"type": "video", "url": "https://films.example/watch?v=1", "title": said, "poster": ""},
        {"type": "button", "text": said, "url": "https://a.example/"},
        {"type": "button", "text": said, "url": "mailto:a@b.example"},
        *({"type": "callout", "text": said, "tone": tone} for tone in ("note", "success", "warning")),
        {
            "type": "contacts",
            "title": said,
            "people": [
                {"name": said, "title": said, "email": "a.long.address@b.example", "phone": "+44 20 7946 0958"},
                {"name": said, "title": said, "email": said, "phone": said},
            ],
        },
        {
            "type": "timeline",
            "title": said,
            "steps": [
                {"title": said, "date": said, "text": said, "done": True},
                {"title": said, "date": said, "text": said, "done": False},
                {"title": said, "date": "", "text": "", "done": False},
            ],
        },
    ]
    shown = {
        "id": ID,
        "url": URL,
        "title": said,
        "description": said,
        "language": "en",
        "accent": "blue",
        "blocks": [*plain, {"type": "columns", "columns": [plain, [{"type": "text", "text": said}], plain]}],
    }
    return {**shown, **other}


def started(id: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
    """A starter filled in, with the sample's values or others."""
    layout = blocks.TemplateInput.model_validate(
        {name: part for name, part in starters.load()[id].items() if name != "id"}
    )
    known = starters.sample() if values is None else values
    shown = filling.filled(layout, {name: variables.spoken(each) for name, each in known.items()}, lambda: 1.0)
    shown.pop("name")
    return {"id": ID, "url": URL, **shown}
