"""Record ids: 15 characters that mind their case, or 18 whose last three tell the case.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm#i1435616
"""

import re

PREFIXES = {
    "Account": "001",
    "Contact": "003",
    "User": "005",
    "Opportunity": "006",
    "Lead": "00Q",
    "OpportunityContactRole": "00K",
    "OpportunityStage": "01J",
    "LeadStatus": "01J",
}
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUFFIX = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def checksum(short: str) -> str:
    """One letter for each five characters: which of them are capitals."""
    chunks = (short[start : start + 5] for start in (0, 5, 10))
    return "".join(
        SUFFIX[sum(1 << place for place, char in enumerate(chunk) if "A" <= char <= "Z")] for chunk in chunks
    )


def made(sobject: str, number: int) -> str:
    tail = ""
    while number:
        number, digit = divmod(number, len(DIGITS))
        tail = DIGITS[digit] + tail
    short = f"{PREFIXES[sobject]}dM{tail:0>10}"
    return short + checksum(short)


def normal(text: str) -> str | None:
    """The 18-character form, or None for what is no id; the suffix restores a case that was lost."""
    if not re.fullmatch(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", text):
        return None
    if len(text) == 15:
        return text + checksum(text)
    return text if checksum(text[:15]) == text[15:] else None
