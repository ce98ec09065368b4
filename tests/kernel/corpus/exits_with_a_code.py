# A flow that exits.
# fails: Crashed: Execution was aborted by Python system exit call.
# %%
import sys
from prefect import flow
@flow
def main(): sys.exit(2)
