"""One module or package per CRM, found by name; each says `FAKE = <its Fake>`.

To add one: read shared/crm/<name>.md, copy the fake that is nearest in shape (hubspot: envelope of properties;
salesforce: field table and query language; pipedrive: plain bodies, two API generations), and give it
1. `name`, `token_path`, `token_lifetime`, `key_prefix`, `defaults`, `nouns`, `specs`;
2. `clear` (empty the store and seed it), `plant` and `stored` for the control plane;
3. handlers marked with `@route`, which return an Answer or raise RefusalError;
4. the sentences of refusal that `Fake` leaves open, in the vendor's words;
5. a Recipe in tests/sandbox/recipes: with it the tests of all CRMs run on the new one, too.
"""

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
