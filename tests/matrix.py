"""`make matrix`: what each CRM can do with each resource, from the declarations; and how, or why not."""

from collections import Counter
from collections.abc import Iterator

from switchboard import models
from switchboard.api.capabilities import told
from switchboard.crm import registry
from switchboard.crm.catalog import CRM
from switchboard.models.schema import VERBS, verbs


def cells() -> dict[tuple[str, str, str], dict[str, str]]:
    """Each cell: CRM, resource and one of the resource's methods."""
    return {
        (name, plural, verb): told(registry.load(name), plural, verb) if plural in registry.load(name).resources else {}
        for name in registry.NAMES
        for plural in models.MODULES
        for verb in verbs(plural)
    }


def lines() -> Iterator[str]:
    """The matrix, its notes, and how many cells there are of each kind."""
    found, notes = cells(), list[str]()

    def shown(crm: CRM, plural: str, verb: str) -> str:
        if verb not in verbs(plural):
            return ""
        cell = found[crm.name, plural, verb]
        note = cell.get("how") or (f"{cell['why']} {cell['see']}" if "why" in cell else None)
        if note is None:
            return cell.get("support", "blank")
        if note not in notes:
            notes.append(note)
        return f"{cell['support']} [{notes.index(note) + 1}]"

    yield f"{'':<30}{'':<11}" + "".join(f"{verb:<18}" for verb in VERBS)
    for name in registry.NAMES:
        crm = registry.load(name)
        for plural in models.MODULES:
            title = crm.title if plural == next(iter(models.MODULES)) else ""
            yield f"{title:<30}{plural:<11}" + "".join(f"{shown(crm, plural, verb):<18}" for verb in VERBS).rstrip()
    yield ""
    yield from (f"[{number}] {note}" for number, note in enumerate(notes, start=1))
    count = Counter(cell.get("support", "blank") for cell in found.values())
    yield ""
    yield "cells: " + ", ".join(f"{count[kind]} {kind}" for kind in ("native", "emulated", "impossible", "blank"))


if __name__ == "__main__":
    print("\n".join(lines()))
