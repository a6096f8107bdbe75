"""The shape of the package: imports go one way, files are short, nothing read is ever executed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import probtransform
from probtransform.families import registry

ROOT = Path(probtransform.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
SCIENCE = {"core", "distributions", "transforms", "paths", "integrate", "objectives"}
# what each folder may import besides itself; the lists only ever name what stands below
MAY_IMPORT = {
    "core": set(),
    "paths": {"core"},
    "integrate": {"core", "paths"},
    "networks": {"core"},
    "distributions": {"core"},
    "transforms": {"core", "distributions", "integrate", "paths"},
    "objectives": {"core", "distributions", "integrate", "paths"},
    "families": SCIENCE | {"networks"},
    "data": {"core"},
    "training": SCIENCE | {"families", "data"},
    "features": {"core", "networks", "objectives"},
    "evaluation": SCIENCE | {"data", "features"},
    "report": SCIENCE | {"families", "evaluation", "data", "training"},
    "cli": SCIENCE
    | {"families", "features", "evaluation", "data", "training", "report", "networks"},
    "conformance": {"core"},
    "__init__": {"core", "conformance"},
    "__main__": {"cli"},
}


def imported(path: Path) -> set[str]:
    """The names below `probtransform` that a file imports, relatively or not, anywhere in it."""
    package = ("probtransform", *path.relative_to(ROOT).parent.parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
    names = (name.split(".") for name in found)
    return {parts[1] for parts in names if parts[0] == "probtransform" and len(parts) > 1}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    folder = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert imported(path) - {folder} <= MAY_IMPORT[folder]


def test_the_reader_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    (tmp_path / "core").mkdir()
    file = tmp_path / "core" / "a.py"
    file.write_text(
        "from .b import c\nfrom ..data.x import y\nfrom .. import cli\n"
        "def f():\n    import probtransform.report.page\n    from probtransform import paths\n"
    )
    assert imported(file) == {"core", "data", "cli", "report", "paths"}


@pytest.mark.parametrize(
    "module, heavy",
    [
        ("probtransform", "flax"),
        ("probtransform.core", "probtransform.data"),
        ("probtransform.families", "probtransform.data"),
    ],
)
def test_importing_is_light(module, heavy):
    unwanted = ["tensorflow_datasets", "tensorflow", "torch", "grain", "matplotlib", "orbax", heavy]
    script = f"import sys, {module}; print([m for m in {unwanted} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_every_family_is_in_the_registry():
    """A family is a file with a `tiny`; what families share has none."""
    files = {p.stem for p in (ROOT / "families").glob("*.py") if "def tiny(" in p.read_text()}
    assert {family.build.__module__.rpartition(".")[2] for family in registry.values()} == files


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_that_is_read_is_executed(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in {"eval", "exec", "pickle.load", "pickle.loads", "joblib.load"}
            loud = [k for k in node.keywords if k.arg == "allow_pickle"]
            assert all(isinstance(k.value, ast.Constant) and k.value.value is False for k in loud)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {a.name for a in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "dill", "cloudpickle", "joblib", "marshal"}
        assert not isinstance(node, ast.Assert), "library code raises; -O would drop an assert"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 250
