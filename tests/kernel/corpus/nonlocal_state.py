# Closures that share and change a cell.
# gives: (3, 3, 2)
# %%
from prefect import flow
def counter():
    count = 0
    def up():
        nonlocal count
        count += 1
        return count
    def read(): return count
    return up, read
up, read = counter()
up()
# %%
@flow
def main():
    up()
    return up(), read(), up.__closure__[0].cell_contents - 1
