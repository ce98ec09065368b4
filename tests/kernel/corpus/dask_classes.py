# Classes of the notebook go to Dask workers and come back as the same classes.
# gives: ([True, True, True], [4, 9], 'caught 5', True, 'local')
# executor: dask-local
# %%
import enum
from dataclasses import dataclass
from pydantic import BaseModel
from prefect import flow, task
class Colour(enum.Enum):
    RED = 1
@dataclass
class Box:
    side: int
    colour: Colour = Colour.RED
class Row(BaseModel):
    n: int
    box: Box
class Bad(Exception):
    def __init__(self, code): super().__init__(code); self.code = code
# %%
%%writefile shapes.py
class Local:
    name = "local"
def make(): return Local()
# %%
import shapes
from shapes import Local
@task
def work(row: Row):
    assert isinstance(row, Row) and isinstance(row.box, Box) and row.box.colour is Colour.RED
    return Row(n=row.n ** 2, box=row.box)
@task
def fails(): raise Bad(5)
@task
def local(x):
    assert isinstance(x, Local)
    return shapes.make()
# %%
@flow
def main():
    rows = work.map([Row(n=n, box=Box(n)) for n in (2, 3)]).result()
    try: fails.submit().result()
    except Bad as error: said = f"caught {error.code}"
    back = local.submit(Local()).result()
    same = [isinstance(rows[0], Row), isinstance(rows[0].box, Box), rows[0].box.colour is Colour.RED]
    return same, [row.n for row in rows], said, isinstance(back, Local), back.name
