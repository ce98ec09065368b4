# A module with a lock, an open file and a connection that the flow does not use.
# gives: 'used'
# %%
%%writefile services.py
import sqlite3, sys, threading
lock = threading.Lock()
connection = sqlite3.connect(":memory:")
log = open("/dev/null")
def used(): return "used"
def unused(): return lock, connection
# %%
from services import used
from prefect import flow
@flow
def main(): return used()
