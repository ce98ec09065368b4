# A task that ends its process: the flow gets an exception with words that say so.
# gives: True
# executor: dask-local {"n_workers": 1}
# executor: processes {"max_workers": 1}
# %%
import os
from prefect import flow, task
@task
def die(): os._exit(1)
WORDS = {"KilledWorker": "all those workers died while running it", "BrokenProcessPool": "terminated abruptly"}
# %%
@flow
def main():
    try: return die.submit().result()
    except Exception as error: return WORDS[type(error).__name__] in str(error)
