# Cells with magics and shell commands, as long as the functions themselves use none.
# gives: ('hello', 3, 'hidden')
# %%
from prefect import flow, task
%who
!echo shell
text = !echo hello
%env HIDDEN=hidden
# %%
%%time
@task
def add(a, b): return a + b
# %%
import os
hidden = os.environ["HIDDEN"]
%time total = add.fn(1, 2)
text?
@flow
def main(): return text[0], add(1, 2), hidden
