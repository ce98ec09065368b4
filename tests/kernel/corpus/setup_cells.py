# Setup cells run in each process: side effects, declarative classes, locks and engines are there, and classes are the same.
# gives: ((2, 'prod', 'b', True, True, True), [[2, 'prod', 'b', True, True, True]], True, 'n=1')
# executor: processes {"max_workers": 1}
# executor: dask-local {"n_workers": 1}
# %%
%%writefile shelves.py
def label(n): return f"n={n}"
# %%
%%flow_setup
import os, threading
import pandas as pd
import shelves
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
os.environ["MODE"] = "prod"
@pd.api.extensions.register_dataframe_accessor("count_rows")
class CountRows:
    def __init__(self, frame): self.frame = frame
    def __call__(self): return len(self.frame)
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
engine = create_engine("sqlite://")
lock = threading.Lock()
process = os.getpid()
# %%
import multiprocessing, pickle
from prefect import flow, task
users = [User]
def name_of_user(): return User(name="b").name
def make_user(_): return User(name="c")
# %%
@task
def work(_):
    with lock: rows = pd.DataFrame({"a": [1, 2]}).count_rows()
    Base.metadata.create_all(engine)
    again = pickle.loads(pickle.dumps(User(name="a")))
    return rows, os.environ["MODE"], name_of_user(), type(again) is User, users[0] is User, process == os.getpid()
@flow
def main():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        in_pool = [list(each) for each in pool.map(work.fn, [1])]
        made = type(pool.map(make_user, [1])[0]) is User
    return work.submit(1).result(), in_pool, made, shelves.label(1)
