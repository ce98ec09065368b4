# Functions from exec, eval and code that is compiled by the notebook.
# gives: (6, 9, 'from a string')
# %%
from prefect import flow, task
exec("def added(x): return x + base\nbase = 5")
square = eval("lambda x: x * x")
space = {}
exec(compile("def said(): return 'from ' + what\nwhat = 'a string'", "<made>", "exec"), space)
said = space["said"]
# %%
@flow
def main(): return task(added)(1), square(3), said()
