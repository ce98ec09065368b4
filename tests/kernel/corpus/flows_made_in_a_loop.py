# One of several flows that a loop made.
# gives: ('b', 20, 'flow b')
# %%
from prefect import flow, runtime
made = {}
for name, factor in {"a": 1, "b": 2, "c": 3}.items():
    @flow(name=f"flow {name}")
    def each(n: int = 10, name=name, factor=factor): return name, n * factor, runtime.flow_run.flow_name
    made[name] = each
# %%
main = made["b"]
