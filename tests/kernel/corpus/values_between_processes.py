# Task arguments, results and exceptions that change or fail on their way between processes.
# gives: (('Attributes', 1), [('Attributes', 2)], [3, 4, 5], ['lock TypeError', 'connection TypeError', ('generator', [0, 1, 2]), 'takes TypeError'], True)
# executor: processes {"max_workers": 1}
# executor: dask-local {"n_workers": 1}
# %%
import sqlite3, threading
from prefect import flow, task
class Attributes(dict):
    def __getattr__(self, name):
        try: return self[name]
        except KeyError: raise AttributeError(name) from None
class NotPicklable(Exception):
    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()
class Slots:
    __slots__ = ("x", "__y")
    def __init__(self, x): self.x, self.__y = x, x + 1
    def both(self): return [self.x, self.__y]
class Single:
    __slots__ = "x"
    def __init__(self, x): self.x = x
# %%
@task
def use(attributes): return type(attributes).__name__, attributes.a
@task
def same(value): return value
@task
def make(x): return Single(x)
@task
def lock(): return threading.Lock()
@task
def connection(): return sqlite3.connect(":memory:")
@task
def generator(): return (n for n in range(3))
@task
def takes(value): return "taken"
@task
def raises(): raise NotPicklable("with a lock")
def outcome(name, call):
    try: return name, call().result()
    except Exception as error: return f"{name} {type(error).__name__}"
# %%
@flow
def main():
    lost = [outcome(each.name, each.submit) for each in (lock, connection, generator)]
    lost.append(outcome("takes", lambda: takes.submit(threading.Lock())))
    try: raises.submit().result()
    except Exception as error: raised = str(error).startswith("NotPicklable: with a lock")
    slots = [*same.submit(Slots(3)).result().both(), make.submit(5).result().x]
    return use.submit(Attributes(a=1)).result(), use.map([Attributes(a=2)]).result(), slots, lost, raised
