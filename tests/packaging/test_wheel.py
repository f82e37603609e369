"""The wheel carries the priors that stand in the checkout, and works without the checkout."""

import json
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    done = subprocess.run(
        [*command, "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_priors_in_the_wheel_are_those_of_the_checkout(wheel: Path) -> None:
    folder = ROOT / "priors"
    expected = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    prefix = "bayesdx/priors/"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(prefix)]
        packed = {name.removeprefix(prefix): archive.read(name) for name in names}
    assert expected
    assert packed == expected


def test_every_module_is_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    source = ROOT / "engine"
    expected = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if name.endswith(".py")} == expected
    assert "bayesdx/py.typed" in names
    assert {name.split("/")[0] for name in names} == {
        "bayesdx",
        f"bayesdx-{version(names)}.dist-info",
    }


def version(names: set[str]) -> str:
    metadata = next(name for name in names if name.endswith("/METADATA"))
    return metadata.split("/")[0].removeprefix("bayesdx-").removesuffix(".dist-info")


def test_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
        scripts = archive.read(name.replace("METADATA", "entry_points.txt")).decode()
    assert metadata["Requires-Python"] == ">=3.11"
    assert "bayesdx = bayesdx.cli:main" in scripts
    unbounded = [one for one in runtime(metadata.get_all("Requires-Dist", [])) if "<" not in one]
    assert unbounded == []


def runtime(requirements: list[str]) -> list[str]:
    return [one for one in requirements if "extra ==" not in one]


def test_unpacked_wheel_works_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
        "import bayesdx\n"
        "assert bayesdx.__file__.startswith(sys.path[0]), bayesdx.__file__\n"
        "print(bayesdx.load().knowledge.folder)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    assert Path(done.stdout.strip()) == tmp_path / "site" / "bayesdx" / "priors"


def test_the_bill_of_materials_names_what_the_wheel_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if "/sboms/" in name)
        bill = json.loads(archive.read(name))
        metadata = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        told = Parser().parsestr(archive.read(metadata).decode())
    needed = {one["properties"][0]["value"] for one in bill["components"]}
    plain = {re.sub(r"[<>=,.0-9]+$", "", one) for one in runtime(told.get_all("Requires-Dist", []))}
    assert {one["name"] for one in bill["components"]} == plain
    assert all("<" in one for one in needed)
    assert bill["metadata"]["component"]["version"] == told["Version"]
