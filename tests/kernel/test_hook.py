"""The list of flows is pushed when it changes, and the user's kernel is left alone."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from satflow_ext.errors import KernelLacksPackage
from satflow_ext.kernel_calls import BRIDGE_IMPORT, build_flows_call

if TYPE_CHECKING:
    from tests.kernel.kernel_process import Kernel

ROOT = Path(__file__).parents[2]

FLOW = """
    from prefect import flow, task

    @flow
    def main(n: int = 3):
        "Counts."
        return n
"""

STATE = "(sorted(globals()), list(In), dict(Out), get_ipython().execution_count, _, __, get_ipython().user_ns_hidden.keys())"


def test_pushes_when_the_list_changes_and_only_then(kernel: Kernel) -> None:
    opened = kernel.ask(build_flows_call())[1]
    assert kernel.pushed(opened) == [[]]
    assert kernel.pushed(kernel.run("x = 1")) == []
    assert kernel.pushed(kernel.run(FLOW)) == [["main"]]
    assert kernel.pushed(kernel.run("x = 2")) == []
    assert kernel.pushed(kernel.run("again = main")) == []
    assert kernel.pushed(kernel.run(FLOW.replace("return n", "return n + 1"))) == [["main", "again"]]
    assert kernel.pushed(kernel.run("del again")) == [["main"]]
    assert kernel.pushed(kernel.run("@flow\ndef second(): pass")) == [["main", "second"]]
    assert kernel.pushed(kernel.run("del main")) == [["second"]]
    reply, published = kernel.send("@flow\ndef third(): pass\n1/0")
    assert reply["status"] == "error"
    assert kernel.pushed(published) == [["second", "third"]]
    assert kernel.pushed(kernel.run("del second, third")) == [[]]


def test_a_change_of_what_a_flow_uses_is_a_change(kernel: Kernel) -> None:
    kernel.ask(build_flows_call())
    kernel.run("from prefect import flow\nlimit = 1\n@flow\ndef main(): return limit")
    assert kernel.pushed(kernel.run("limit = 2")) == [["main"]]
    assert kernel.pushed(kernel.run("unused = 2")) == []


def test_each_bootstrap_opens_the_same_comm(kernel: Kernel) -> None:
    kernel.run(FLOW)
    opened = [kernel.ask(build_flows_call())[1] for _ in range(3)]
    messages = [message for published in opened for message in published if message["msg_type"] == "comm_open"]
    assert [message["content"]["target_name"] for message in messages] == ["satflow"] * 3
    assert len({message["content"]["comm_id"] for message in messages}) == 1
    assert kernel.pushed(kernel.run("del main")) == [[]]


def test_a_hundred_bootstraps_leave_no_trace(kernel: Kernel) -> None:
    kernel.run("%load_ext satflow_ext")
    kernel.run(FLOW)
    kernel.run("main.name")
    before = kernel.value(STATE)
    for _ in range(100):
        kernel.flows()
    assert kernel.value(STATE) == before
    assert kernel.value("len([c for c in get_ipython().events.callbacks['post_run_cell'] if 'Hook' in repr(c)])") == "1"
    assert kernel.value("sum(1 for _ in get_ipython().history_manager.get_range())") == "3"


def test_nothing_is_sent_before_somebody_asked(kernel: Kernel) -> None:
    kernel.run("%load_ext satflow_ext")
    assert kernel.pushed(kernel.run(FLOW)) == []


def test_loading_the_extension_loads_nothing_heavy(kernel: Kernel) -> None:
    """Whether the startup file has loaded it already or not: a kernel has no other reason to load these."""
    kernel.run("%load_ext satflow_ext")
    kernel.run("import sys")
    loaded = kernel.value("sorted(sys.modules)")
    assert "'satflow_ext.kernel.hook'" in loaded
    for heavy in ("prefect", "pydantic", "cloudpickle", "httpx", "satflow_ext.models"):
        assert f"'{heavy}'" not in loaded


def test_the_startup_file_brings_the_magic_and_no_name(tmp_path: Path, start_kernel: type[Kernel]) -> None:
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    shutil.copy(ROOT / "jupyter-config" / "ipython" / "startup" / "50-satflow.py", startup)
    kernel = start_kernel(tmp_path)
    try:
        assert kernel.value("'register_flow' in get_ipython().magics_manager.magics['line']") == "True"
        assert kernel.value("[name for name in globals() if 'satflow' in name]") == "[]"
    finally:
        kernel.stop()


def test_describes_a_flow(kernel: Kernel) -> None:
    kernel.run(
        """
        from __future__ import annotations
        import datetime, enum
        from prefect import flow
        class Unjson:
            def __repr__(self): return "x" * 1000
        """
    )
    kernel.run(
        '''
        @flow(name="nightly report")
        def report(day: datetime.date, n: int = 3, bad: object = Unjson(), nan: float = float("nan"),
                   *, to: list[str] | None = None, **more):
            """Makes the report.

            Args:
                day: which day.
            """
        '''
    )
    kernel.run("_hidden = report\nprivate = 1")
    (flow,) = kernel.flows()
    assert (flow["name"], flow["variable"], flow["cell"]) == ("nightly report", "report", 2)
    assert flow["doc"].startswith("Makes the report.\n\nArgs:\n")
    rows = {row["name"]: row for row in flow["parameters"]}
    assert rows["day"] == {"name": "day", "annotation": "datetime.date", "required": True, "default": None}
    assert rows["n"]["default"] == "3"
    assert len(rows["bad"]["default"]) == 120
    assert rows["to"]["annotation"] == "list[str] | None"
    assert not rows["more"]["required"]
    schema = flow["parameter_schema"]
    assert schema["required"] == ["day"]
    assert schema["properties"]["n"] == {"default": 3, "position": 1, "title": "n", "type": "integer"}
    assert schema["properties"]["nan"]["default"] == "nan"
    assert schema["properties"]["day"]["description"] == "which day."


def test_an_imported_flow_has_no_cell(kernel: Kernel) -> None:
    (kernel.home / "flows_file.py").write_text("from prefect import flow\n@flow\ndef filed(): pass\n")
    kernel.run("from flows_file import filed")
    (flow,) = kernel.flows()
    assert flow["cell"] is None


def test_proxies_stay_asleep(kernel: Kernel) -> None:
    kernel.run(
        """
        from prefect import flow
        touched = []
        class Meta(type):
            __hash__ = None
            def __eq__(self, other): touched.append("meta")
        class Proxy(metaclass=Meta):
            def __getattribute__(self, name): touched.append(name); raise RuntimeError(name)
        proxy = Proxy()
        @flow
        def main(): pass
        """
    )
    assert [flow["variable"] for flow in kernel.flows()] == ["main"]
    assert kernel.value("touched") == "[]"


def test_a_kernel_without_the_package_says_how_to_install_it(kernel: Kernel) -> None:
    """Environments that uv made have no pip."""
    with_pip = "import os, sys; sys.modules['satflow_ext'] = None"
    with_uv = "sys.modules['pip'] = None; os.environ['PATH'] = os.path.join(sys.prefix, 'bin')"
    cells = {
        with_pip: "Run `%pip install satflow-ext` in the notebook.",
        with_uv: f'Run `!uv pip install --python "{sys.executable}" satflow-ext` in the notebook.',
        "os.environ['PATH'] = ''": f'Run `!"{sys.executable}" -m ensurepip` and `%pip install satflow-ext` in the notebook.',
    }
    for cell, fix in cells.items():
        assert kernel.send(cell)[0]["status"] == "ok"
        with pytest.raises(KernelLacksPackage, match="cannot load `satflow_ext`") as refused:
            kernel.flows()
        assert refused.value.fix == fix


def test_a_kernel_without_prefect_says_so(kernel: Kernel) -> None:
    kernel.run(
        "import importlib.util as u\nfind = u.find_spec\nu.find_spec = lambda n, p=None: None if n == 'prefect' else find(n, p)"
    )
    with pytest.raises(KernelLacksPackage, match="This kernel's environment has no `prefect`"):
        kernel.flows()


def test_names_of_the_call_stay_out_of_the_namespace(kernel: Kernel) -> None:
    names = kernel.value("sorted(globals())")
    kernel.flows()
    assert kernel.value("sorted(globals())") == names
    assert "satflow" in BRIDGE_IMPORT
