# Artifacts, variables, tags, loggers and the run's context of Prefect.
# gives: (['blue'], 'main', 'stored', True)
# %%
from prefect import flow, get_run_logger, runtime, tags, task
from prefect.artifacts import create_markdown_artifact
from prefect.variables import Variable
@task
def tagged(): return sorted(runtime.task_run.tags)
@task
def noted():
    get_run_logger().info("noted")
    return create_markdown_artifact("# hello") is not None
# %%
@flow
def main():
    Variable.set("corpus_variable", "stored", overwrite=True)
    with tags("blue"): seen = tagged()
    return seen, runtime.flow_run.flow_name, Variable.get("corpus_variable"), noted()
