"""The shape of the house: what the pages promise about modules, imports and sizes. Who may import whom inside the
package stands in pyproject.toml, for import-linter."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from switchboard.crm import registry

ROOT = Path(__file__).resolve().parents[1]
LAYER = ROOT / "layers/switchboard/python"
PACKAGE = LAYER / "switchboard"
VENDORS = PACKAGE / "crm/vendors"
FUNCTIONS = sorted(ROOT.glob("functions/*/app.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))

BRANDS = (
    "activecampaign", "brevo", "close", "hubspot", "insightly", "msdynamics", "nutshell", "pipedrive", "pipeliner",
    "salesforce", "sugarcrm", "zendesk", "zoho",
)  # fmt: skip
"""The thirteen, by what they are called in code."""

A_VERB_TOO = re.compile(r"""["']close["']|\bClose\b|close\.com""")
"""One of them is named like a verb: this is how that one would be named."""


def named(text: str, brands: Collection[str]) -> list[str]:
    """Those of the brands that a text names."""
    own = {brand for brand in brands if brand != "close" and brand in text.lower()}
    return sorted(own | ({"close"} if "close" in brands and A_VERB_TOO.search(text) else set()))


VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc", "shared"}


def imports(file: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


class TestRegistry:
    def test_the_names_are_sorted_and_each_has_its_module(self) -> None:
        assert list(registry.NAMES) == sorted(set(registry.NAMES))
        folders = {path.name for path in VENDORS.iterdir() if (path / "__init__.py").is_file()}
        assert set(registry.NAMES) == folders

    def test_every_crm_has_a_fake_a_recipe_a_sample_and_a_voice(self) -> None:
        for folder in ("sandbox/vendors", "sandbox/recipes", "local/samples", "crm/voices"):
            held = {path.stem for path in (ROOT / "tests" / folder).iterdir() if not path.stem.startswith("__")}
            assert held == set(registry.NAMES), f"tests/{folder}"

    def test_a_name_that_is_not_there_is_not_imported(self) -> None:
        for unknown in ("nobody", "__init__", "..catalog", "os", ""):
            with pytest.raises(KeyError):
                registry.load(unknown)

    @pytest.mark.parametrize("crm", registry.NAMES)
    def test_loading_one_leaves_the_others_out(self, crm: str) -> None:
        code = (
            "import sys; from switchboard.crm import registry; registry.load(sys.argv[1]); "
            "print(*(name for name in sys.modules if name.startswith('switchboard.crm.vendors.') or "
            "name.partition('.')[0] in ('boto3', 'botocore', 'httpx', 'aws_lambda_powertools')))"
        )
        told = subprocess.run([sys.executable, "-c", code, crm], capture_output=True, text=True, check=True, timeout=20)
        own = f"switchboard.crm.vendors.{crm}"
        assert own in told.stdout.split()
        assert all(each == own or each.startswith(f"{own}.") for each in told.stdout.split())


class TestModules:
    @pytest.mark.parametrize(
        "file", [file for file in MODULES if VENDORS not in file.parents and file.name != "registry.py"], ids=name
    )
    def test_no_vendor_is_named_outside_its_module(self, file: Path) -> None:
        assert named(file.read_text(), BRANDS) == []

    @pytest.mark.parametrize("file", sorted(VENDORS.glob("*/*.py")), ids=name)
    def test_a_vendor_module_can_be_read_in_one_sitting_and_names_no_other_vendor(self, file: Path) -> None:
        text, vendor = file.read_text(), file.parent.name
        assert len(text.splitlines()) <= 400
        others = {brand for brand in BRANDS if brand not in (vendor, vendor.partition("_")[0])}
        assert named(text, others) == []

    @pytest.mark.parametrize("file", sorted(VENDORS.glob("*/__init__.py")), ids=name)
    def test_a_vendor_module_cites_the_vendors_pages(self, file: Path) -> None:
        assert "https://" in (ast.get_docstring(ast.parse(file.read_text())) or "")

    def test_no_module_has_a_vague_name(self) -> None:
        vague = [name(path) for path in PACKAGE.rglob("*") if path.stem in VAGUE]
        assert vague == []

    @pytest.mark.parametrize("file", MODULES, ids=name)
    def test_every_module_says_what_it_is(self, file: Path) -> None:
        assert ast.get_docstring(ast.parse(file.read_text()))

    @pytest.mark.parametrize("file", [*(PACKAGE / "crm").rglob("*.py"), *(PACKAGE / "models").rglob("*.py")], ids=name)
    def test_the_pure_half_looks_at_no_clock(self, file: Path) -> None:
        called = {
            node.func.attr
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not called & {"now", "utcnow", "today", "urandom", "getenv"}


class TestFunctions:
    def test_there_are_some(self) -> None:
        assert FUNCTIONS

    @pytest.mark.parametrize("file", FUNCTIONS, ids=name)
    def test_a_function_is_its_imports_and_one_statement(self, file: Path) -> None:
        assert len(file.read_text().splitlines()) <= 12
        body = ast.parse(file.read_text()).body
        rest = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
        assert isinstance(rest[0], ast.Expr), "a docstring"
        assert len(rest) == 2

    @pytest.mark.parametrize("file", FUNCTIONS, ids=name)
    def test_a_function_imports_the_composition_root_and_models_only(self, file: Path) -> None:
        assert not [each for each in imports(file) if not each.startswith(("switchboard.app.", "switchboard.models."))]

    @pytest.mark.parametrize("file", FUNCTIONS, ids=name)
    def test_a_functions_folder_holds_nothing_else(self, file: Path) -> None:
        assert [each.name for each in file.parent.iterdir() if each.name != "__pycache__"] == ["app.py"]


class TestSandbox:
    def test_the_fakes_know_nothing_of_us(self) -> None:
        """They are written from the vendors' pages: an error of ours must not be repeated there."""
        files = sorted((ROOT / "tests/sandbox").rglob("*.py"))
        assert files
        assert [name(file) for file in files if any(each.startswith("switchboard") for each in imports(file))] == []


class TestRequirements:
    TEXT = (LAYER / "requirements.txt").read_text()
    ENTRIES = tuple(entry for entry in re.split(r"\n(?=\S)", TEXT.strip()) if not entry.startswith("#"))

    def test_the_layer_holds_what_the_project_declares(self) -> None:
        declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        wanted = {re.split(r"[><=~!\[; ]", each)[0].lower() for each in declared}
        locked = {entry.partition("==")[0].lower() for entry in self.ENTRIES}
        assert wanted <= locked
        assert not locked & {"boto3", "botocore", "requests", "aws-xray-sdk"}, "the runtime brings the first two"

    def test_everything_is_pinned_and_hashed(self) -> None:
        for entry in self.ENTRIES:
            assert re.match(r"[a-z0-9._-]+==[^\s]+( ;[^\\]+)? \\\n", entry), entry
            assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry

    def test_no_address_of_an_index_is_written_down(self) -> None:
        assert "://" not in self.TEXT
        assert "--index-url" not in self.TEXT
        assert "@" not in self.TEXT
