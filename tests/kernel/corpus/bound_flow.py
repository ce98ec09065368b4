# The registered flow is itself a method of an object.
# gives: (3, 'daily')
# runs with: {"days": 3}
# %%
from prefect import flow
class Report:
    def __init__(self, name): self.name = name
    @flow
    def build(self, days: int): return days, self.name
# %%
main = Report("daily").build
