"""Check a release: two builds equal byte for byte, contents, metadata, and a first answer.

    python .ci/release.py [--write-sbom] [--python PYTHON ...]

Builds from the committed files alone, in two folders of different names, and installs the wheel
without extras into an empty environment of each Python that is named.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SBOM = ROOT / "sbom.cdx.json"
NEEDED = (
    "bayesdx/py.typed",
    "bayesdx/priors/model.toml",
    "licenses/LICENSE",
    "sboms/sbom.cdx.json",
)


def bill_of_materials(project: dict[str, Any]) -> dict[str, Any]:
    """Return what the wheel is made of and needs, as CycloneDX 1.6.

    A wheel fixes no version of what it needs, so each component carries its range and no version.
    """
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    components = []
    for requirement in project["dependencies"]:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)[0].casefold()  # type: ignore[index]
        needed = {"name": "python:requirement", "value": requirement}
        components.append(
            {
                "type": "library",
                "bom-ref": f"pkg:pypi/{name}",
                "name": name,
                "purl": f"pkg:pypi/{name}",
                "properties": [needed],
            }
        )
    licences = [{"license": {"id": project["license"]}}]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "purl": own,
                "licenses": licences,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": own, "dependsOn": [one["bom-ref"] for one in components]},
            *({"ref": one["bom-ref"]} for one in components),
        ],
    }


def written(bill: dict[str, Any]) -> str:
    """Return a bill of materials as the content of its file."""
    return json.dumps(bill, indent=2) + "\n"


def built(folder: Path, epoch: str) -> dict[str, Path]:
    """Build sdist and wheel from the committed files; return them by kind."""
    source, out = folder / "source", folder / "dist"
    archive = subprocess.run(
        ["git", "archive", "--format=tar", "HEAD"], cwd=ROOT, check=True, capture_output=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(source, filter="data")
    run(
        [sys.executable, "-m", "build", "--outdir", str(out), str(source)],
        env=os.environ | {"SOURCE_DATE_EPOCH": epoch},
    )
    (wheel,), (sdist,) = out.glob("*.whl"), out.glob("*.tar.gz")
    return {"wheel": wheel, "sdist": sdist}


def run(command: list[str], **options: Any) -> str:
    """Run a command and return what it printed; its errors end the check."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"failed: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def faults_of(wheel: Path) -> list[str]:
    """Return what is missing from a wheel or does not belong in it."""
    names = zipfile.ZipFile(wheel).namelist()
    missing = [f"no {one}" for one in NEEDED if not any(name.endswith(one) for name in names)]
    foreign = [
        f"{name} does not belong"
        for name in names
        if name.endswith((".pyc", ".nbi", ".nbc")) or name.split("/")[0] in ("tests", "benchmarks")
    ]
    return missing + foreign


def first_answer(wheel: Path, python: str, folder: Path) -> str:
    """Install without extras into an empty environment, check the knowledge, answer, and demo."""
    run([python, "-m", "venv", str(folder)])
    at = folder / "bin"
    run(
        [
            str(at / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
            "-qq",
            "install",
            str(wheel),
        ]
    )
    away: dict[str, Any] = {"cwd": folder, "env": os.environ | {"PYTHONWARNINGS": "error"}}
    run([str(at / "bayesdx"), "check"], **away)
    told = json.loads(run([str(at / "bayesdx"), "diagnose", "low_back_pain", "--json"], **away))
    if not told:
        sys.exit("an answer without content")
    if "Next:" not in run([str(at / "bayesdx"), "demo"], **away):
        sys.exit("a demo that does not say what to type next")
    return run([str(at / "python"), "--version"]).strip()


def main() -> None:
    """Run the whole check."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write-sbom", action="store_true", help="write sbom.cdx.json and stop")
    parser.add_argument(
        "--python", nargs="+", default=[sys.executable], help="Pythons to install into"
    )
    options = parser.parse_args()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    bill = written(bill_of_materials(project))
    if options.write_sbom:
        SBOM.write_text(bill)
        return
    if SBOM.read_text() != bill:
        sys.exit(
            "sbom.cdx.json: not of this pyproject.toml; run: python .ci/release.py --write-sbom"
        )
    epoch = run(["git", "log", "-1", "--format=%ct"], cwd=ROOT).strip()
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory(suffix="-other") as two:
        first, second = built(Path(one), epoch), built(Path(two), epoch)
        for kind, path in first.items():
            if digest(path) != digest(second[kind]):
                sys.exit(f"{kind}: two builds differ")
            print(f"{kind}: {path.name}, {path.stat().st_size:,} bytes, sha256 {digest(path)}")
        if faults := faults_of(first["wheel"]):
            sys.exit(f"{first['wheel'].name}: {'; '.join(faults)}")
        run([sys.executable, "-m", "twine", "check", "--strict", *map(str, first.values())])
        for number, python in enumerate(options.python):
            version = first_answer(first["wheel"], python, Path(one) / f"venv{number}")
            print(f"{version}: installs without extras, checks, answers and shows its demo")


if __name__ == "__main__":
    main()
