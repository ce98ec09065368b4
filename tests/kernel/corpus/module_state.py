# The state of a module: functions and attribute see the same, and what the notebook changed has changed.
# gives: (1, 1, 2, 'notebook', 'notebook', ['start', 'more'])
# %%
%%writefile state.py
COUNT = 0
MODE = "default"
SEEN = ["start"]
def bump():
    global COUNT
    COUNT += 1
    return COUNT
def mode(): return MODE
def note(x): SEEN.append(x)
class Reader:
    def count(self): return COUNT
# %%
import state
from state import bump, Reader
from prefect import flow
state.MODE = "notebook"
@flow
def main():
    one = bump()
    seen = state.COUNT
    state.COUNT = 2
    state.note("more")
    return one, seen, Reader().count(), state.mode(), state.MODE, state.SEEN
