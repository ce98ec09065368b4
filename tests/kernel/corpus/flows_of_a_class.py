# Flows that are static and class methods; the registered one is a class method.
# gives: ('Demo', 3, 4, 'static one', 5)
# %%
from prefect import flow
class Demo:
    size = 3
    @staticmethod
    @flow(name="static one")
    def static(n: int = 1): return n
    @flow(name="instance one")
    def instance(self, n: int = 1): return self.size + n
    @classmethod
    @flow(name="class one")
    def whole(cls, n: int = 1): return cls.__name__, cls.size, cls.static(4), cls.static.name, cls().instance(2)
# %%
main = Demo.whole
