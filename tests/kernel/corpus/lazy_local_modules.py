# Local modules that are imported only while the flow runs.
# gives: (1, 'lazy', 3, 'plug')
# %%
!mkdir -p lazy
!touch lazy/__init__.py
# %%
%%writefile single.py
from second import TWO
ONE = TWO - 1
# %%
%%writefile second.py
TWO = 2
# %%
%%writefile lazy/part.py
from . import other
def value(): return other.V
# %%
%%writefile lazy/other.py
V = "lazy"
# %%
%%writefile outer.py
def start():
    from third import THREE
    return THREE
# %%
%%writefile third.py
THREE = 3
# %%
%%writefile plugin.py
NAME = "plug"
# %%
from outer import start
from prefect import flow, task
@task
def work():
    from lazy.part import value
    return value()
# %%
@flow
def main():
    import importlib
    import single as s
    return s.ONE, work(), start(), importlib.import_module("plugin").NAME
