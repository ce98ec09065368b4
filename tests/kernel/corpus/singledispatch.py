# Functions chosen by type, with types registered in later cells.
# gives: ('int 3', 'list of 2', 'Shape', 'other', 'text x', 'number 5')
# %%
from functools import singledispatch, singledispatchmethod
from prefect import flow, task
@singledispatch
def describe(x): return "other"
@describe.register
def _(x: int): return f"int {x}"
# %%
class Shape: pass
@describe.register(list)
def _(x): return f"list of {len(x)}"
@describe.register
def _(x: Shape): return "Shape"
class Printer:
    @singledispatchmethod
    def show(self, x): return f"number {x}"
    @show.register
    def _(self, x: str): return f"text {x}"
# %%
@task
def said(x): return describe(x)
@flow
def main():
    return said(3), said([1, 2]), said(Shape()), said(2.5), Printer().show("x"), Printer().show(5)
