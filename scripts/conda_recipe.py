"""Write conda.recipe/recipe.yaml from pyproject.toml and package.json.

With the path of a source distribution, the recipe has its digest. With --check, write nothing, and fail if the recipe differs in
anything but the digest.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "conda.recipe" / "recipe.yaml"
EXTRAS = ("lab",)
"""The extras of the package that the conda package contains, because conda has no extras."""
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
"""The Pythons of the conda package. A package for all platforms has no conditional requirements, and those of 3.10 are."""
NAMES = {"tzdata": "python-tzdata"}
"""Packages that have another name in conda-forge."""
EXTRA_PACKAGES = {("httpx", "socks"): "socksio", ("uvicorn", "standard"): "uvicorn-standard"}
"""The conda package of another package's extra."""
UNRELEASED = "0" * 64
TEMPLATE = """# Generated from pyproject.toml and package.json by scripts/conda-recipe. Do not edit.
schema_version: 1

context:
  version: "{version}"
  python_min: "{python}"

package:
  name: {name}
  version: ${{{{ version }}}}

source:
  url: https://pypi.org/packages/source/s/{name}/{module}-${{{{ version }}}}.tar.gz
  sha256: "{digest}"

build:
  number: 0
  noarch: python
  script: ${{{{ PYTHON }}}} -m pip install . -vv --no-deps --no-build-isolation
  python:
    entry_points:
{scripts}

requirements:
  host:
    - python ${{{{ python_min }}}}.*
    - pip
{host}
  run:
    - python >=${{{{ python_min }}}}
{run}

tests:
  - python:
      imports:
        - {module}
      pip_check: true
      python_version: ${{{{ python_min }}}}.*
  - requirements:
      run:
        - python ${{{{ python_min }}}}.*
    script:
      - satflow doctor --offline
      - jupyter server extension list
      - jupyter labextension list

about:
  summary: {summary}
  license: {license}
  license_file: LICENSE

extra:
  recipe-maintainers: []
"""


def render_recipe(digest: str) -> str:
    """Render the recipe."""
    project_file = tomllib.loads((ROOT / "pyproject.toml").read_text())
    package, project = json.loads((ROOT / "package.json").read_text()), project_file["project"]
    scripts = (f"{name} = {target}" for name, target in project["scripts"].items())
    hook = project_file["tool"]["hatch"]["build"]["hooks"]["jupyter-builder"]
    host = [*project_file["build-system"]["requires"], *hook["dependencies"]]
    return TEMPLATE.format(
        name=project["name"],
        module=project["name"].replace("-", "_"),
        version=package["version"],
        python=PYTHONS[0],
        digest=digest,
        scripts=_as_list(scripts, 6),
        host=_as_list(_conda_requirements(host), 4),
        run=_as_list(_conda_requirements(_required(project, EXTRAS)), 4),
        summary=package["description"],
        license=project["license"],
    )


def _as_list(items: Iterator[str], indent: int) -> str:
    return "\n".join(f"{' ' * indent}- {item}" for item in items)


def _required(project: dict[str, Any], extras: tuple[str, ...]) -> Iterator[str]:
    """Yield the requirements of the project and of these extras, which may refer to further extras of the project."""
    given = project["optional-dependencies"]
    for text in (*project["dependencies"], *(each for extra in extras for each in given.get(extra, ()))):
        requirement = Requirement(text)
        if requirement.name == project["name"]:
            yield from _required({**project, "dependencies": []}, tuple(sorted(requirement.extras)))
        else:
            yield text


def _conda_requirements(texts: Iterator[str] | list[str]) -> Iterator[str]:
    """Yield each requirement in conda's terms, in alphabetical order and once."""
    return iter(sorted({each for text in texts for each in _convert(Requirement(text))}))


def _convert(requirement: Requirement) -> Iterator[str]:
    if not _applies(requirement):
        return
    bounds = ",".join(sorted(str(requirement.specifier).split(","), key=_lower_bound_first))
    yield f"{NAMES.get(requirement.name, requirement.name)} {bounds}".strip()
    for extra in sorted(requirement.extras):
        yield EXTRA_PACKAGES[requirement.name, extra]


def _applies(requirement: Requirement) -> bool:
    """Return whether the Pythons of the conda package need it; all of them must give the same answer."""
    if requirement.marker is None:
        return True
    answers = {requirement.marker.evaluate({"python_version": python}) for python in PYTHONS}
    if len(answers) > 1:
        raise SystemExit(f"{requirement}: the conda package has no conditional requirements; change PYTHONS")
    return answers.pop()


def _lower_bound_first(bound: str) -> tuple[bool, str]:
    return not bound.startswith(">"), bound


def main(arguments: list[str]) -> int:
    """Write the recipe, or compare it with the file."""
    found = TARGET.read_text() if TARGET.exists() else ""
    if arguments == ["--check"]:
        current = re.search(r'sha256: "(\w+)"', found)
        if current is not None and found == render_recipe(current[1]):
            return 0
        print(f"{TARGET.relative_to(ROOT)} differs from pyproject.toml: run scripts/conda-recipe")  # noqa: T201
        return 1
    digest = hashlib.sha256(Path(arguments[0]).read_bytes()).hexdigest() if arguments else UNRELEASED
    TARGET.write_text(render_recipe(digest))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
