# A module written by the notebook.
# gives: (8, 2, 'helpers')
# %%
%%writefile helpers.py
FACTOR = 2
def _by(x): return x * FACTOR
def double(x): return _by(x)
# %%
from helpers import double
import helpers as h
from prefect import flow
@flow
def main(): return double(4), h.FACTOR, h.__name__
