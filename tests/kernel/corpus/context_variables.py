# Context variables, set and read across tasks.
# gives: ('start', 'set', 'start')
# %%
import contextvars
from prefect import flow
current = contextvars.ContextVar("current", default="start")
def read(): return current.get()
# %%
@flow
def main():
    before = read()
    token = current.set("set")
    inside = read()
    current.reset(token)
    return before, inside, read()
