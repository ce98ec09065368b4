# A package that is installed editable by an import hook (PEP 660, setuptools' way).
# gives: ('mine', 'part', 'later')
# %%
!mkdir -p project/code/sub lib/site-packages
!touch project/code/sub/__init__.py
# %%
%%writefile lib/site-packages/__editable___editable_finder_1_finder.py
import os, sys
from importlib.util import spec_from_file_location
from pathlib import Path
MAPPING = {"editable_finder": os.path.abspath("project/code")}
class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        for package, folder in MAPPING.items():
            if fullname == package or fullname.startswith(f"{package}."):
                return cls._spec(fullname, Path(folder, *fullname.split(".")[1:]))
    @classmethod
    def _spec(cls, fullname, place):
        for candidate in (place / "__init__.py", place.with_suffix(".py")):
            if candidate.exists(): return spec_from_file_location(fullname, candidate)
def install():
    if _EditableFinder not in sys.meta_path: sys.meta_path.append(_EditableFinder)
# %%
%%writefile project/code/__init__.py
from .sub import part
def name(): return "mine"
def later():
    from editable_finder import lazy
    return lazy.NAME
# %%
%%writefile project/code/sub/part.py
NAME = "part"
# %%
%%writefile project/code/lazy.py
NAME = "later"
# %%
import os, site
with open("lib/site-packages/__editable__.editable_finder-1.pth", "w") as file:
    file.write("import __editable___editable_finder_1_finder; __editable___editable_finder_1_finder.install()")
site.addsitedir(os.path.abspath("lib/site-packages"))
# %%
import editable_finder
from prefect import flow
@flow
def main(): return editable_finder.name(), editable_finder.part.NAME, editable_finder.later()
