"""The rules of the house: what may import what, what importing does, and what no file of it may hold."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "symbiosys_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: Rooms without Dagster, from the lowest up: each may import itself and what stands left of it.
ROOMS = ("contracts", "storage", "sources", "transforms", "quality", "steps", "reports")
#: Of the rooms between contracts and steps, none knows another but those named here.
MAY_IMPORT = {
    "contracts": set[str](),
    "storage": {"contracts"},
    "sources": {"contracts"},
    "transforms": {"contracts"},
    "quality": {"contracts", "transforms"},
    "steps": {"contracts", "storage", "sources", "transforms", "quality"},
    "reports": {"contracts", "storage", "sources", "transforms", "quality", "steps"},
}
UPPER = {"assets", "automation", "components", "commands", "defs", "cli", "definitions", "demo"}

FORBIDDEN_TEXT = {
    "a path of somebody's machine": re.compile(r"(?<![\w./])/(?:work|home|root|Users)/\w"),
    "a registry's address": re.compile(
        r"https?://[^\s\"']*(?:/simple\b|artifactory|nexus|pypi\.[a-z]+/)", re.I
    ),
    "an address with a password": re.compile(r"https?://[^\s/\"':@]+:[^\s/\"'@]+@"),
}
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".sql", ".json", ".lock", ".css", ".txt", ""}


def run_python(code: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def imported(module: Path) -> set[str]:
    """The parts of the package that a module imports anywhere in it, type checking aside."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    aside = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        for inner in ast.walk(node)
    }
    names = [
        name
        for node in ast.walk(tree)
        if id(node) not in aside
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
    ]
    return {name.split(".")[1] for name in names if name.startswith("symbiosys_pipeline.")}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_says_what_it_is_and_can_be_read_in_one_sitting(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{module}: no docstring"
    assert len(text.splitlines()) <= 350


@pytest.mark.parametrize("room", ROOMS)
def test_imports_point_down(room: str) -> None:
    wrong = {
        module.relative_to(PACKAGE).as_posix(): sorted(found)
        for module in sorted((PACKAGE / room).rglob("*.py"))
        if (found := (imported(module) & (set(ROOMS) | UPPER)) - MAY_IMPORT[room] - {room})
    }
    assert wrong == {}


def test_the_rooms_below_the_assets_need_no_dagster() -> None:
    # In one process: whoever brings Dagster in would be seen whichever room it is in. Great Expectations is
    # looked at before `quality`, one of whose modules is its data source.
    rooms = [*(room for room in ROOMS if room != "quality"), "quality"]
    run_python(
        "import importlib, pkgutil, sys\n"
        f"for room in {rooms!r}:\n"
        "    if room == 'quality':\n"
        "        assert 'great_expectations' not in sys.modules\n"
        "    package = importlib.import_module(f'symbiosys_pipeline.{room}')\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "        assert 'dagster' not in sys.modules, module.name\n"
    )


def test_importing_the_definitions_does_nothing_outside(tmp_path: Path) -> None:
    run_python(
        "import os, sys\n"
        f"os.chdir({str(tmp_path)!r})\n"
        f"os.environ['SYMBIOSYS_HOME'] = {str(tmp_path / 'home')!r}\n"
        "written = []\n"
        "def watch(event, arguments):\n"
        "    if event == 'open' and isinstance(arguments[1], str) and set(arguments[1]) & set('wax+'):\n"
        "        if not str(arguments[0]).endswith(('.pyc',)) and '__pycache__' not in str(arguments[0]):\n"
        "            written.append(arguments[0])\n"
        "    outside = {'socket.connect', 'sqlite3.connect', 'os.mkdir'}\n"
        "    if event in outside and '__pycache__' not in str(arguments):\n"
        "        written.append((event, str(arguments)))\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import dagster\n"
        "sys.addaudithook(watch)\n"
        "import symbiosys_pipeline, symbiosys_pipeline.definitions, symbiosys_pipeline.cli\n"
        "ours = [item for item in written if '/dev/null' not in str(item)]\n"
        "assert ours == [], ours\n"
        "assert 'great_expectations' not in sys.modules\n"
    )
    assert list(tmp_path.iterdir()) == []


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines()]
    return [
        path for path in ROOT.rglob("*") if not {".venv", "data", ".git"} & set(path.relative_to(ROOT).parts)
    ]


def test_no_text_tells_of_a_machine_or_holds_a_password() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {what}"
        for path in tracked()
        if path.suffix in TEXTS and path.is_file() and path != Path(__file__).resolve()
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        )
        for what, pattern in FORBIDDEN_TEXT.items()
        if pattern.search(line)
    ]
    assert found == []
