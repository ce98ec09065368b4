# Threads, executors and queues that the flow makes itself, with a class that holds a lock only when it runs.
# gives: ([0, 1, 4], 3)
# %%
import concurrent.futures, queue, threading
from prefect import flow
class Counter:
    def __init__(self): self._lock, self.n = None, 0
    @property
    def lock(self):
        if self._lock is None: self._lock = threading.Lock()
        return self._lock
    def up(self):
        with self.lock: self.n += 1
counter = Counter()
def square(x):
    counter.up()
    return x * x
# %%
@flow
def main():
    with concurrent.futures.ThreadPoolExecutor(2) as pool: return list(pool.map(square, range(3))), counter.n
