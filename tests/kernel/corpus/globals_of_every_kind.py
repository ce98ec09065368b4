# Globals: collections, dates, numbers, paths, patterns, loggers, exceptions, ranges, unusual names.
# gives: (2026, 2, ['b', 'a'], 2, [1], ['1', '22'], 5, 'x', [2, 4], '2026-01-01T00:00:00+02:00', 'ü', ValueError('no'), b'abc', 1329227995784915872903807060280344576)
# %%
import array, collections, datetime, decimal, fractions, itertools, logging, pathlib, re, string, uuid, zoneinfo
from types import MappingProxyType, SimpleNamespace
from prefect import flow
log = logging.getLogger("mine")
made = {"s": {1, 2}, "t": (1,), "d": datetime.date(2026, 1, 2), "x": decimal.Decimal("1.5"), 3: [None, True, b"x"]}
Point = collections.namedtuple("Point", "x y")
where = Point(1, y=2)
ordered = collections.OrderedDict(b=1, a=2)
counts = collections.Counter("hello")
many = collections.defaultdict(list, k=[1])
queue = collections.deque([1, 2], maxlen=2)
chain = collections.ChainMap({"a": 1}, {"b": 2})
pattern = re.compile("[0-9]+")
space = SimpleNamespace(deep=SimpleNamespace(n=5))
template, place = string.Template("$x"), pathlib.Path("a/b")
numbers, half = array.array("i", [1, 2]), fractions.Fraction(1, 2)
steps, part = range(2, 6, 2), slice(1, 3)
zone = datetime.timezone(datetime.timedelta(hours=2))
berlin, key = zoneinfo.ZoneInfo("Europe/Berlin"), uuid.UUID(int=1)
grüße, error, raw, big = "ü", ValueError("no"), bytearray(b"abc"), 2**120
view, proxy = memoryview(b"abc"), MappingProxyType({"a": 1})
# %%
@flow
def main():
    log.info("hello %s %s %s %s", berlin, key, queue, chain["b"])
    moment = datetime.datetime(2026, 1, 1, tzinfo=zone).isoformat()
    assert (half * 2, numbers[1], place.name, [1, 2, 3][part], proxy["a"]) == (1, 2, "b", [2, 3], 1)
    return (made["d"].year, where.y, list(ordered), counts["l"], many["k"], pattern.findall("a1b22"), space.deep.n,
            template.substitute(x="x"), list(steps), moment, grüße, error, bytes(raw), big)
