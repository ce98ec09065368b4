# Exceptions of the notebook, context managers, match.
# gives: (7, 'point 1', 'Bad', ['in', 'out'])
# %%
import contextlib
from prefect import flow, task
class Bad(ValueError):
    def __init__(self, code, why="x"): super().__init__(code); self.code = code
class Point:
    __match_args__ = ("x",)
    def __init__(self, x): self.x = x
seen, order = [], []
@contextlib.contextmanager
def quiet():
    try: yield "in"
    except Bad as e: seen.append(e.code)
class Room:
    def __enter__(self): order.append("in")
    def __exit__(self, *error): order.append("out")
@task
def fails(): raise Bad(9)
# %%
@flow
def main():
    with quiet(), Room():
        raise Bad(7)
    match Point(1):
        case Point(x): said = f"point {x}"
    try: fails()
    except Bad as error: kind = type(error).__name__
    match seen:
        case [code]: return code, said, kind, order
