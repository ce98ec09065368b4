# %run -i uses and changes the notebook's own names; a later change of them counts.
# gives: (20, 2)
# %%
factor = 10
# %%
%%writefile script.py
def scaled(x): return x * factor
times = 1
# %%
%run -i script.py
times = 2
# %%
from prefect import flow
@flow
def main(): return scaled(2), times
