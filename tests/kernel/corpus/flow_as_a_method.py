# A flow that is a method, of an object with state.
# gives: (15, 'Pipeline', 20)
# %%
from prefect import flow, task
class Pipeline:
    def __init__(self, offset):
        self.offset = offset
        self.steps = []
    def add(self, fn):
        self.steps.append(fn)
        return self
    @task
    def apply(self, x):
        for step in self.steps: x = step(x)
        return x + self.offset
    @flow
    def run(self, x: int = 5): return self.apply(x), type(self).__name__
# %%
pipeline = Pipeline(5).add(lambda x: x * 2)
@flow
def main():
    once = pipeline.run(5)
    pipeline.offset = 10
    return (*once, pipeline.run(5)[0])
