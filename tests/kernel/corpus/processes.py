# Classes, local modules and lazily imported modules in processes of the flow run.
# gives: ([4, 9], [True, True], 'lazy', 'changed')
# executor: processes {"max_workers": 2}
# %%
%%writefile shapes.py
MODE = "default"
class Square:
    def __init__(self, a): self.a = a
    def area(self): return self.a ** 2
def mode(): return MODE
# %%
%%writefile lazily.py
NAME = "lazy"
# %%
import shapes
from shapes import Square
from prefect import flow, task
shapes.MODE = "changed"
class Wrapped:
    def __init__(self, square): self.square = square
@task
def wrap(a): return Wrapped(Square(a))
@task
def later():
    from lazily import NAME
    return NAME
@task
def mode(): return shapes.mode()
# %%
@flow
def main():
    made = wrap.map([2, 3]).result()
    kinds = [isinstance(each, Wrapped) and isinstance(each.square, Square) for each in made]
    return [each.square.area() for each in made], kinds, later.submit().result(), mode.submit().result()
