# A package that is installed editable by a path file (hatchling's way).
# gives: ('mine', 'part', 'later')
# %%
!mkdir -p project/src/editable_pth/sub
!touch project/src/editable_pth/sub/__init__.py
# %%
%%writefile project/pyproject.toml
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "editable-pth"
version = "1"
[tool.hatch.build.targets.wheel]
packages = ["src/editable_pth"]
# %%
%%writefile project/src/editable_pth/__init__.py
from .sub import part
def name(): return "mine"
def later():
    from editable_pth import lazy
    return lazy.NAME
# %%
%%writefile project/src/editable_pth/sub/part.py
NAME = "part"
# %%
%%writefile project/src/editable_pth/lazy.py
NAME = "later"
# %%
import os, site, subprocess, sys, zipfile
def install(project):
    build = "import hatchling.build; print(hatchling.build.build_editable('.'))"
    wheel = subprocess.run([sys.executable, "-c", build], cwd=project, check=True, capture_output=True, text=True).stdout.strip()
    zipfile.ZipFile(f"{project}/{wheel}").extractall("lib/site-packages")
    site.addsitedir(os.path.abspath("lib/site-packages"))
install("project")
# %%
import editable_pth
from prefect import flow
@flow
def main(): return editable_pth.name(), editable_pth.part.NAME, editable_pth.later()
