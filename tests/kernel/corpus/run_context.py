# The run's context and logger, in tasks and in their threads; run names that a template and a function give.
# gives: (True, 'on Wednesday', (True, True, True), ['MissingContextError', 1, 2])
# executor: threads
# executor: dask-local {"n_workers": 1}
# %%
import contextvars, datetime
from concurrent.futures import ThreadPoolExecutor
from prefect import flow, get_run_logger, runtime, task
from prefect.context import FlowRunContext
def named(): return f"{runtime.deployment.name}-{runtime.flow_run.parameters['day']}"
def log(line):
    get_run_logger().info("line %s", line)
    return line
def attempt(line):
    try: return log(line)
    except Exception as error: return type(error).__name__
# %%
@task
def context():
    return FlowRunContext.get() is not None, runtime.flow_run.name is not None, runtime.deployment.name.startswith("run_context")
@task
def in_threads():
    with ThreadPoolExecutor(2) as pool:
        copied = [pool.submit(contextvars.copy_context().run, log, line) for line in (1, 2)]
        return [pool.submit(attempt, 0).result(), *(each.result() for each in copied)]
@flow(flow_run_name="on {day:%A}")
def template(day: datetime.date = datetime.date(2025, 1, 1)): return runtime.flow_run.name
@flow(flow_run_name=named)
def main(day: str = "x"):
    named_by_function = runtime.flow_run.name == f"{runtime.deployment.name}-x"
    return named_by_function, template(), context.submit().result(), in_threads.submit().result()
