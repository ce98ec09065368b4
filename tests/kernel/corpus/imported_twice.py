# A module that is imported in a cell and once more inside of a function is one module.
# gives: (True, True, 5, 'notebook', 5)
# %%
%%writefile shapes.py
MODE = "default"
COUNT = 0
class Square:
    def __init__(self, a): self.a = a
def bump():
    global COUNT
    COUNT += 5
    return COUNT
# %%
import shapes
from shapes import Square
from prefect import flow
shapes.MODE = "notebook"
def bumped():
    from shapes import bump
    return bump()
@flow
def main():
    import shapes as again
    from shapes import Square as Same
    return isinstance(Square(1), Same), again is shapes, bumped(), again.MODE, shapes.COUNT
