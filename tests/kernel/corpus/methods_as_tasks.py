# Methods of instances, callables and partials as tasks.
# gives: (6, 8, 7, 9, 10)
# %%
import functools
from prefect import flow, task
class Model:
    def __init__(self, w): self.w = w
    def predict(self, x): return self.w * x
    @task
    def run(self, x): return self.w + x
    @staticmethod
    @task
    def still(x): return x + 1
class Scale:
    def __init__(self, by): self.by = by
    def __call__(self, x): return x * self.by
model = Model(3)
predict = task(model.predict)
scale = task(Scale(3), name="scale")
shift = task(functools.partial(lambda a, b: a + b, 7), name="shift")
# %%
@flow
def main(): return predict(2), model.run(5), Model.still(6), scale(3), shift(3)
