# A package with submodules, relative and circular imports.
# gives: (5, 3, 'deep', True)
# %%
!mkdir -p pkg/deep
# %%
%%writefile pkg/__init__.py
from .things import Thing
from . import base
NAME = "pkg"
# %%
%%writefile pkg/base.py
import pkg
ONE = 1
def one(): return pkg.base.ONE
# %%
%%writefile pkg/things.py
from .base import one
class Thing:
    def __init__(self, x): self.x = x
    def value(self): return self.x + one()
# %%
%%writefile pkg/deep/__init__.py
NAME = "deep"
# %%
%%writefile pkg/deep/tool.py
from .. import base
from ..things import Thing
def run(x): return Thing(x).value() + base.one()
# %%
import pkg.deep.tool
import pkg.deep as below
from pkg import Thing
from prefect import flow
@flow
def main(): return pkg.deep.tool.run(3), Thing(2).value(), below.NAME, pkg.things.Thing is Thing
