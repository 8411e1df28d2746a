"""How pages look, as far as it is the same for all: styles, policies, headers, and the pages that need no record.

The function that shows pages imports nothing heavier than this. What is served is read once, at import.
"""

from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template
from types import MappingProxyType

HERE = Path(__file__).parent
HTML = HERE / "html"
ASSET_PATH = "/pods/assets/"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the edit page is made of. Its name changes with its content, so it may be kept for ever."""

    content: bytes
    media_type: str


def _read(name: str) -> str:
    return (HTML / name).read_text("utf-8")


def _source(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in directives.items())


TONES = _read("tones.css")
STYLE = TONES + _read("page.css")
"""What stands in the live page's one style element, to the letter: the policy names its hash."""

LIVE_POLICY = _source(
    {
        "default-src": "'none'",
        "style-src": f"'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "img-src": "https:",
        "media-src": "https:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
)
"""Content-Security-Policy of the live page and of the page for what is gone: no script, and one style."""

EDIT_POLICY = _source(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
)
"""Content-Security-Policy of the edit page: its script and style are files of ours."""

HEADERS = MappingProxyType(
    {
        "x-robots-tag": "noindex, nofollow, noarchive",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "permissions-policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
    }
)
"""Headers of every page. An address of a page is a secret of sorts: it is not indexed, framed or passed on."""

DRAWN_BY = ("html/live.html", "html/blocks.html", "page.py", "prose.py")
RENDERER = sha256(STYLE.encode() + b"".join((HERE / name).read_bytes() for name in DRAWN_BY)).hexdigest()[:12]
"""Tells live pages apart that other versions of the code have made."""


def _asset(stem: str, ending: str, content: str, media_type: str) -> tuple[str, Asset]:
    data = content.encode()
    return f"{stem}.{sha256(data).hexdigest()[:12]}.{ending}", Asset(data, f"{media_type}; charset=utf-8")


_SCRIPT, _SCRIPT_FILE = _asset("edit", "js", _read("edit.js"), "text/javascript")
_SHEET, _SHEET_FILE = _asset("edit", "css", TONES + _read("edit.css"), "text/css")
ASSETS = MappingProxyType({_SCRIPT: _SCRIPT_FILE, _SHEET: _SHEET_FILE})
"""What the edit page loads, by file name."""

_EDIT = Template(_read("edit.html")).safe_substitute(script=ASSET_PATH + _SCRIPT, sheet=ASSET_PATH + _SHEET)
_GONE = Template(_read("gone.html")).substitute(style=STYLE)


def edit(id: str) -> str:
    """The edit page of a pod: a shell, the same for everybody. Its script asks for a key, then for the pod."""
    return Template(_EDIT).substitute(id=escape(id))


def gone() -> str:
    """The page for what is not there, or no more. It goes out under the live page's policy."""
    return _GONE
