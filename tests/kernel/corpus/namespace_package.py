# A package without __init__.py, in two folders.
# gives: ('one two', 'two')
# %%
!mkdir -p here/spread there/spread
# %%
%%writefile here/spread/one.py
from spread import two
def both(): return "one " + two.name()
# %%
%%writefile there/spread/two.py
def name(): return "two"
# %%
import sys
sys.path[:0] = ["here", "there"]
import spread.one, spread.two
from prefect import flow
@flow
def main(): return spread.one.both(), spread.two.name()
