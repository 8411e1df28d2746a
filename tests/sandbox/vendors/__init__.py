"""One module or package per CRM, found by name; each says `FAKE = <its Fake>`."""

import importlib
import pkgutil

from tests.sandbox.fake import Fake


def names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def load(name: str) -> Fake:
    """A fresh fake; nothing but that CRM's module is imported."""
    if name not in names():
        raise LookupError(f"no fake of {name!r}; there are: {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}").FAKE()
