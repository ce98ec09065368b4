"""Collecting, as a sequence of registrations, rollbacks, runs, deletions, collections and days, in any order.

The store's folder, the manifests and the collector are the real ones; Prefect is a dictionary of what its deployments pin.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from satflow_ext.commands.store_collect import DAY, collect_contents, follow_references
from satflow_ext.errors import ContentRefused
from satflow_ext.models import CarriedFile
from satflow_ext.store.contents import Contents
from satflow_ext.versions.manifest import MAX_EARLIER
from tests.registration.sealed import digest, manifest, signer

GRACE = 30 * DAY
SIGNER = signer()
NAMES = st.sampled_from(["etl", "report"])
BODIES = st.sampled_from([b"one", b"two", b"three"])


@dataclass
class Deployed:
    """A deployment: the digests of its manifests, oldest first, and all that each of its versions names."""

    manifests: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    names: set[str] = field(default_factory=set)


class Life(RuleBasedStateMachine):
    """What happens to a store."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.now = 1_800_000_000.0
        self.contents = Contents(Path(self.folder.name), limit=10**6, clock=lambda: self.now)
        self.contents.prepare_folders()
        self.deployments: dict[str, Deployed] = {}
        self.runs: list[Deployed] = []
        self.wanted: dict[str, float] = {}  # digest → when it was last in use, sent or asked for

    def teardown(self) -> None:
        self.folder.cleanup()

    def put(self, body: bytes) -> str:
        with self.contents.receive_content(digest(body)) as incoming:
            incoming.write(body)
            incoming.commit_content()
        self.wanted[digest(body)] = self.now
        return digest(body)

    @rule(name=NAMES, body=BODIES, data=BODIES)
    def register(self, name: str, body: bytes, data: bytes) -> None:
        deployed = self.deployments.setdefault(name, Deployed())
        content, file = self.put(body), self.put(data)
        made = manifest(
            body,
            version=len(deployed.manifests) + 1,
            files=(CarriedFile(path="data.csv", digest=file, size=len(data)),),
            earlier=tuple(deployed.manifests[: -MAX_EARLIER - 1 : -1]),
        )
        deployed.manifests.append(self.put(made.encode(SIGNER)))
        deployed.bodies.append(body)
        deployed.names |= {content, file, deployed.manifests[-1]}

    @rule(body=BODIES)
    def break_off(self, body: bytes) -> None:
        """A registration that is killed before anything refers to what it sent."""
        self.put(body + b" of nobody")

    @rule(name=NAMES, back=st.integers(1, 5), data=BODIES)
    def roll_back(self, name: str, back: int, data: bytes) -> None:
        """A version that can be listed can be brought back."""
        deployed = self.deployments.get(name)
        if deployed and len(deployed.bodies) > back:
            body = deployed.bodies[-1 - back]
            assert self.contents.read_content(digest(body)) == body
            self.register(name, body, data)

    @rule(body=BODIES)
    def ask(self, body: bytes) -> None:
        """Somebody asks whether a content is there, so as not to send it again: from now on it must stay."""
        if self.contents.touch_content(digest(body)) is not None:
            self.wanted[digest(body)] = self.now

    @rule(name=NAMES)
    def run(self, name: str) -> None:
        if name in self.deployments:
            self.runs.append(self.deployments[name])

    @precondition(lambda self: self.runs)
    @rule()
    def end_run(self) -> None:
        self.runs.pop()

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        gone = self.deployments.pop(name, None)
        for each in gone.names if gone else ():
            self.wanted[each] = self.now

    @rule(days=st.integers(1, 45))
    def wait(self, days: int) -> None:
        self.now += days * DAY
        self.runs = [
            run for run in self.runs if run in self.deployments.values()
        ]  # none of a deleted one lasts that long

    @rule(dry=st.booleans())
    def collect(self, dry: bool) -> None:
        before = {each.digest for each in self.contents.list_contents()}
        live = [deployed.manifests[-1] for deployed in self.deployments.values()]
        done = collect_contents(
            self.contents, follow_references(live, self.contents.read_content), grace=GRACE, dry_run=dry
        )
        after = {each.digest for each in self.contents.list_contents()}
        removed = {each.digest for each in done.removed}
        assert after == (before if dry else before - removed)
        early = {each for each in removed if self.now - self.wanted[each] <= GRACE}
        assert not early

    @rule()
    def two_collections_a_period_apart_leave_nothing(self) -> None:
        self.collect(dry=False)
        self.now += GRACE + DAY
        self.runs = [run for run in self.runs if run in self.deployments.values()]
        self.collect(dry=False)
        used = set().union(*(deployed.names for deployed in self.deployments.values()))
        assert {each.digest for each in self.contents.list_contents()} == used

    @invariant()
    def what_is_in_use_is_there(self) -> None:
        for deployed in [*self.deployments.values(), *self.runs]:
            gone = [each for each in deployed.names if self.contents.get_size(each) is None]
            assert not gone


Life.TestCase.settings = settings(
    max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestLife = pytest.mark.slow(Life.TestCase)


@pytest.fixture
def contents(tmp_path):
    made = Contents(tmp_path, limit=10**6)
    made.prepare_folders()
    return made


def put(contents, body):
    with contents.receive_content(digest(body)) as incoming:
        incoming.write(body)
        incoming.commit_content()
    return digest(body)


def test_a_manifest_that_cannot_be_read_stops_everything(contents):
    lost = put(contents, b"no manifest")
    with pytest.raises(ContentRefused):
        follow_references([lost], contents.read_content)


def test_versions_before_a_lost_manifest_are_in_use(contents):
    """Each manifest knows several before it, so a lost one hides nothing."""
    first = put(contents, manifest(b"1", version=1).encode(SIGNER))
    lost = digest(b"a manifest that is gone")
    third = put(contents, manifest(b"3", version=3, earlier=(lost, first)).encode(SIGNER))
    assert follow_references([third], contents.read_content) >= {first, third, digest(b"1"), digest(b"3")}


def test_what_is_asked_for_while_it_is_collected_stays(contents):
    """The collector has decided; then a sender asks whether the content is there, and is told yes."""
    body = put(contents, b"x")
    decided = next(iter(contents.list_contents())).touched - 1
    assert contents.touch_content(body) is not None
    assert contents.remove_content(body, untouched_since=decided) is False
    assert contents.get_size(body) == 1


def test_marks_that_cannot_be_read_begin_anew(contents):
    put(contents, b"x")
    (contents.root / "unreferenced.json").write_bytes(b"[not a dictionary")
    assert collect_contents(contents, frozenset(), grace=0.0).removed == ()


@pytest.mark.parametrize(("later", "gone"), [(GRACE - 1, False), (GRACE, False), (GRACE + 1, True)])
@pytest.mark.parametrize("dry", [False, True])
def test_the_period_is_as_long_as_it_says(tmp_path, later, gone, dry):
    moments = [0.0]
    contents = Contents(tmp_path, limit=10**6, clock=lambda: moments[-1])
    contents.prepare_folders()
    body = put(contents, b"x")
    assert collect_contents(contents, frozenset(), grace=GRACE).removed == ()
    moments.append(later)
    done = collect_contents(contents, frozenset(), grace=GRACE, dry_run=dry)
    assert [each.digest for each in done.removed] == [body] * gone
    assert (contents.get_size(body) is None) == (gone and not dry)
