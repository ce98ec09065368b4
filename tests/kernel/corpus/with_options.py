# A flow and tasks derived from others, a task runner, states as values.
# gives: ('second', 4, True, 3, 'Failed', 'after')
# %%
from prefect import allow_failure, flow, runtime, task
from prefect.task_runners import ThreadPoolTaskRunner
@task
def add(a, b=1): return a + b
@task
def fails(): raise RuntimeError("no")
@task
def after(x): return "after"
more = add.with_options(name="more", tags=["t"])
@flow
def first():
    failed = fails.submit()
    state = add(1, 2, return_state=True)
    waited = after.submit(allow_failure(failed), wait_for=[allow_failure(failed)])
    return (runtime.flow_run.flow_name, more(3), state.is_completed(), state.result(), failed.state.name if failed.wait() is None else "", waited.result())
# %%
main = first.with_options(name="second", task_runner=ThreadPoolTaskRunner(max_workers=2))
