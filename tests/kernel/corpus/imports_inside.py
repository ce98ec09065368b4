# Imports inside of functions, of what is installed.
# gives: ([1], 2, 'c')
# %%
from prefect import flow
@flow
def main():
    import json
    from collections import Counter
    import os.path as p
    return json.loads("[1]"), Counter("aa")["a"], p.basename("b/c")
