# Blocks of the notebook, secrets, variables; a run of the same deployment with a date and a model; a run that waits for input.
# gives: ('host:word', 's', {'a': 1}, ('COMPLETED', {'day': '2025-01-02', 'size': {'n': 4}}), 5, 'gave 1')
# %%
import datetime, time
from prefect import flow, pause_flow_run, runtime, task
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.deployments import run_deployment
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput
from prefect.variables import Variable
from pydantic import BaseModel, SecretStr
class Connection(Block):
    _block_type_slug = "corpus-connection"
    host: str
    password: SecretStr = SecretStr("")
    def url(self): return f"{self.host}:{self.password.get_secret_value()}"
class Size(BaseModel):
    n: int = 1
class Guess(RunInput):
    n: int = 1
# %%
@task
def take(connection):
    return connection.execute("select 1").fetchone()[0]
@task
def answer(run_id):
    with get_client(sync_client=True) as client:
        for _ in range(600):
            if client.read_flow_run(run_id).state.is_paused(): break
            time.sleep(0.1)
    resume_flow_run(run_id, run_input={"n": 5})
@flow
def main(day: datetime.date | None = None, size: Size = Size()):
    import sqlite3
    if day: return day.year, size.n
    Connection(host="host", password="word").save("corpus", overwrite=True)
    Secret(value="s").save("corpus-secret", overwrite=True)
    Variable.set("corpus_objects", {"a": 1}, overwrite=True)
    parameters = {"day": datetime.date(2025, 1, 2), "size": Size(n=4)}
    run = run_deployment(f"main/{runtime.deployment.name}", parameters=parameters, timeout=120)
    answering = answer.submit(runtime.flow_run.id)
    guess = pause_flow_run(wait_for_input=Guess, timeout=120, poll_interval=1)
    answering.wait()
    loaded = Connection.load("corpus").url(), Secret.load("corpus-secret").get(), Variable.get("corpus_objects")
    return *loaded, (run.state.type.value, run.parameters), guess.n, f"gave {take(sqlite3.connect(':memory:'))}"
