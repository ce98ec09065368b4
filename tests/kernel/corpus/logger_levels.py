# A logger has the level that a cell has set, in the run and where its tasks run.
# gives: (['INFO', 'NOTSET'], ['INFO', 'NOTSET'])
# executor: threads
# executor: processes {"max_workers": 1}
# executor: dask-local {"n_workers": 1}
# %%
import logging
from prefect import flow, task
log, other = logging.getLogger("corpus.levels"), logging.getLogger("corpus.other")
log.setLevel(logging.INFO)
# %%
def levels(): return [logging.getLevelName(each.level) for each in (log, other)]
@task
def in_task(): return levels()
@flow
def main(): return levels(), in_task.submit().result()
