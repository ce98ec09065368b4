# Options of tasks and flows: retries, hooks, conditions, names, tags, timeouts.
# gives: (2, ['retry?', 'shaky done', 'inner done'], 'shaky-7', 3)
# %%
from prefect import flow, runtime, task
tries, told = [], []
def say(text):
    def hook(thing, run, state): told.append(text)
    return hook
def again(task, run, state):
    told.append("retry?")
    return True
def run_name(): return f"shaky-{runtime.task_run.parameters['n']}"
# %%
@task(retries=2, retry_delay_seconds=lambda tries: [0.01] * tries, retry_condition_fn=again, tags={"a"}, timeout_seconds=30,
      on_completion=[say("shaky done")], task_run_name=run_name, log_prints=True)
def shaky(n):
    tries.append(1)
    if len(tries) < 2: raise ValueError("again")
    print("made it")
    return len(tries), runtime.task_run.name
@flow(retries=1, on_completion=[say("inner done")], flow_run_name="inner {n}")
def inner(n: int): return n
# %%
@flow(name="Named flow", retries=1, on_completion=[lambda flow, run, state: None], on_failure=[say("failed")])
def main():
    (count, name), three = shaky(7), inner(3)
    return count, told, name, three
