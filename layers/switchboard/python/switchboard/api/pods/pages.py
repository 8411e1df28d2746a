"""The pages that readers open: no key, one read, and nothing of the record but what the page says."""

import gzip
import re
from hashlib import sha256

from switchboard.api.call import Call
from switchboard.api.reply import Reply
from switchboard.pods import look
from switchboard.ports import Page, Pods

LIVE = re.compile(r"/pods/([0-9a-f]{24})/live")
EDIT = re.compile(r"/pods/edit/([0-9a-f]{24})")
ASSET = re.compile(r"/pods/assets/([A-Za-z0-9._-]+)")
HTML = "text/html; charset=utf-8"
SHORTLY = "public, max-age=30"
"""A change of the pod is seen by everybody within half a minute."""
FOREVER = "public, max-age=31536000, immutable"
"""The name of an asset holds a hash of it."""


def view(call: Call, pods: Pods) -> Reply:
    """`GET /pods/{id}/live`, `/pods/edit/{id}` and `/pods/assets/{file}`."""
    if form := LIVE.fullmatch(call.path):
        found = pods.page(form[1])
        return live(call, found) if found else gone()
    if form := EDIT.fullmatch(call.path):
        return edit(form[1]) if pods.page(form[1]) else gone()
    form = ASSET.fullmatch(call.path)
    found = look.ASSETS.get(form[1]) if form else None
    if found is None:
        return gone()
    return Reply(200, {**look.HEADERS, "content-type": found.media_type, "cache-control": FOREVER}, found.content)


def live(call: Call, page: Page) -> Reply:
    """The page as it was stored; made anew where it was stored by a release that drew it otherwise."""
    packed, etag = page.html, page.etag
    if page.renderer != look.RENDERER:
        from switchboard.pods import page as renderer  # noqa: PLC0415 - a page of today's needs none of it

        html = renderer.live(page.shown).encode()
        packed, etag = gzip.compress(html, mtime=0), sha256(html).hexdigest()[:20]
    headers = {
        **look.HEADERS,
        "content-security-policy": look.LIVE_POLICY,
        "cache-control": SHORTLY,
        "etag": f'"{etag}"',
        "vary": "accept-encoding",
    }
    if etag in re.findall(r'"([^"]*)"', call.headers.get("if-none-match", "")):
        return Reply(304, headers)
    headers["content-type"] = HTML
    if re.search(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?(,|$))", call.headers.get("accept-encoding", "")):
        return Reply(200, {**headers, "content-encoding": "gzip"}, packed)
    return Reply(200, headers, gzip.decompress(packed))


def edit(id: str) -> Reply:
    """The page on which a pod is edited; it holds nothing of the pod, and asks for a key."""
    headers = {"content-type": HTML, "content-security-policy": look.EDIT_POLICY, "cache-control": "no-store"}
    return Reply(200, {**look.HEADERS, **headers}, look.edit(id).encode())


def gone() -> Reply:
    """There is no such page, or no longer."""
    headers = {"content-type": HTML, "content-security-policy": look.LIVE_POLICY, "cache-control": "no-store"}
    return Reply(404, {**look.HEADERS, **headers}, look.gone().encode())
