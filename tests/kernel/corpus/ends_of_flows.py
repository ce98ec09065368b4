# How flows end: hooks of each state, exits, groups of exceptions, recursion, and messages that no database takes as they are.
# gives: (['exit CRASHED', 'text CRASHED', 'interrupt CRASHED', 'recursion FAILED', 'group FAILED', 'long FAILED', 'strange FAILED', 'good COMPLETED'], ['completion', 'crashed', 'failure', 'running'])
# %%
import sys
from prefect import flow
told = set()
def tell(kind):
    def hook(flow, run, state): told.add(kind)
    return hook
def recurse(n): return recurse(n + 1)
# %%
@flow(on_running=[tell("running")], on_failure=[tell("failure")], on_crashed=[tell("crashed")], on_completion=[tell("completion")])
def ends(how: str):
    if how == "exit": sys.exit(0)
    if how == "text": sys.exit("some text")
    if how == "interrupt": raise KeyboardInterrupt
    if how == "recursion": recurse(0)
    if how == "group": raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])
    if how == "long": raise ValueError("y" * 300_000)
    if how == "strange": raise ValueError("nul \x00, escape \x1b[31m")
def state_of(how):
    try: return ends(how, return_state=True).type.value
    except BaseException as error: return "CRASHED" if not isinstance(error, Exception) else repr(error)[:200]
@flow
def main():
    ways = "exit", "text", "interrupt", "recursion", "group", "long", "strange", "good"
    return [f"{how} {state_of(how)}" for how in ways], sorted(told)
