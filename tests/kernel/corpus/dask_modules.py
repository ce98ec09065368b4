# Packages with circular imports, their state and lazily imported modules on Dask workers.
# gives: ([11, 12], ['lazy', 'lazy'], [True, True], 'changed')
# executor: dask-local
# %%
!mkdir -p ring
# %%
%%writefile ring/__init__.py
from . import left, right
MODE = "default"
# %%
%%writefile ring/left.py
import ring
from . import right
def ten(): return 10 + ring.right.zero()
# %%
%%writefile ring/right.py
import ring
from . import left
COUNT = 0
def zero(): return len(ring.left.__name__) - 9
def bump():
    global COUNT
    COUNT += 1
    return COUNT
# %%
%%writefile lazily.py
NAME = "lazy"
# %%
import ring
from prefect import flow, task
ring.MODE = "changed"
@task
def work(x): return ring.left.ten() + x
@task
def later(x):
    from lazily import NAME
    return NAME
@task
def counted(x): return ring.right.bump() == ring.right.COUNT
@task
def mode(): return ring.MODE
# %%
@flow
def main(): return work.map([1, 2]).result(), later.map([1, 2]).result(), counted.map([1, 2]).result(), mode.submit().result()
