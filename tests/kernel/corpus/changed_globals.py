# Functions that change a global see each other's changes.
# gives: (6, [1, 2, 3])
# %%
from prefect import flow, task
total, seen = 0, []
@task
def add(n):
    global total
    total += n
    seen.append(n)
# %%
@flow
def main():
    for n in (1, 2, 3): add(n)
    return total, seen
