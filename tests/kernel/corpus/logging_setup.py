# Loggers, handlers made by functions, filters of the notebook.
# gives: (['x: hello'], 'corpus')
# %%
import logging
from prefect import flow, task
log = logging.getLogger("corpus")
lines = []
class Keep(logging.Handler):
    def emit(self, record): lines.append(self.format(record))
def setup():
    keep = Keep()
    keep.setFormatter(logging.Formatter("x: %(message)s"))
    log.addHandler(keep)
    log.setLevel("INFO")
# %%
@flow
def main():
    setup()
    log.info("hello")
    return lines, log.name
