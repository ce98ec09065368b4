# A flow with another name than its variable, names that shadow, a redefined helper.
# gives: ('second', [3], 'print', 'ünï')
# %%
from prefect import flow, task
def helper(): return "first"
@task
def list_(x): return [x]
def print_(): return "print"
list, print = list_, print_
# %%
def helper(): return "second"
def ünï(): return "ünï"
# %%
@flow(name="an odd – name, ü")
def _private(): return helper(), list(3), print(), ünï()
main = _private
