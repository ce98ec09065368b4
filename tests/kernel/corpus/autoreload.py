# A module that autoreload replaced: what runs is what the notebook has now.
# gives: ('new', 'new method', 'added')
# %%
%load_ext autoreload
%autoreload 2
# %%
%%writefile changing.py
def which(): return "old"
class Thing:
    def say(self): return "old method"
# %%
from changing import which, Thing
import changing
thing = Thing()
old = which()
# %%
import os
text = '''
def which(): return "new"
class Thing:
    def say(self): return "new method"
def added(): return "added"
'''
with open("changing.py", "w") as file: file.write(text)
os.utime("changing.py", (2e9, 2e9))
# %%
from prefect import flow
assert (old, which()) == ("old", "new")
@flow
def main(): return which(), thing.say(), changing.added()
