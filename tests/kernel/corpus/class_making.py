# Metaclasses, __init_subclass__, __set_name__, descriptors, classes made by calls.
# gives: (['Csv', 'Json'], {'csv': 'CsvPlugin'}, ('name', 'checked 5'), 'made', 'Meta', 'dynamic')
# %%
from prefect import flow
class Meta(type):
    known = {}
    def __new__(mcls, name, bases, space):
        cls = super().__new__(mcls, name, bases, space)
        if bases: mcls.known[name] = cls
        return cls
    def __call__(cls, *args):
        made = super().__call__(*args)
        made.how = "made"
        return made
class Reader(metaclass=Meta): pass
class Csv(Reader): pass
class Json(Reader): pass
class Plugin:
    registry = {}
    def __init_subclass__(cls, key=None):
        if key: Plugin.registry[key] = cls
class CsvPlugin(Plugin, key="csv"): pass
class Checked:
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, instance, owner): return self if instance is None else instance.__dict__[self.name]
    def __set__(self, instance, value): instance.__dict__[self.name] = f"checked {value}"
class Row:
    name = Checked()
Dynamic = type("Dynamic", (), {"say": lambda self: "dynamic"})
# %%
@flow
def main():
    row = Row()
    row.name = 5
    return sorted(Meta.known)[:2], {key: cls.__name__ for key, cls in Plugin.registry.items()}, (Row.name.name, row.name), Csv().how, type(Json).__name__, Dynamic().say()
