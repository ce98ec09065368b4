# A module imported with a star, and one whose attributes are made when they are asked for.
# gives: (3, ['one', 'two'], 'made now', '1.0')
# %%
%%writefile helpers.py
__all__ = ["one", "two"]
__version__ = "1.0"
def one(): return 1
def two(): return one() + 1
def __getattr__(name):
    if name == "now": return "made " + name
    raise AttributeError(name)
if __name__ == "__main__": raise SystemExit
# %%
from helpers import *
import helpers
from prefect import flow
@flow
def main(): return one() + two(), helpers.__all__, helpers.now, helpers.__version__
