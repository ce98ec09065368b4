"""The notebook of a cycle: every canary that code can hold, and a flow that ends in the way it is told to."""

from __future__ import annotations

MODULE = '''
"""<<title_doc>>"""
# <<module_comment>>
KEPT = "<<module_text>>"

def <<function>>():
    raise KeyError("<<cause_words>>" + str(len(KEPT))[:0])
'''

CELLS = (
    '''
import base64, enum, json, logging, os, sys
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_progress_artifact, update_progress_artifact
from prefect.states import Failed
from pydantic import BaseModel, Field
import <<module>> as local

"""<<deleted_cell>>"""
unrelated = "<<other_cell>>"
told = "<<global_text>>"
data = {"rows": [b"<<captured_bytes>>"], "cycle": CYCLE}

class Kind(enum.Enum):
    A = "<<enum_value>>"

class <<model>>(BaseModel):
    """<<model_doc>>"""
    kept: ClassVar[str] = "<<class_attribute>>"
    <<model_field>>: int = Field(
        1, title="<<title>>", description="<<description>>", examples=["<<example>>"], json_schema_extra={"x-note": "<<extra>>"}
    )

def made():
    kept = "<<closure>>"
    def helper():
        """<<helper_doc>>"""
        return kept, told, data, local.KEPT
    return helper

helper = made()
''',
    '''
@task(name="<<task_name>>", task_run_name="<<task_run_name>>", tags=["<<task_tag>>"], retries=1)
def <<task_function>>(<<task_parameter>>, other="<<task_default>>"):
    """<<task_doc>>"""
    raise ValueError("<<task_words>>" + os.environ.get("A_FILE", "")) or "<<task_raising_line>>"

@task
def waits():
    raise TimeoutError("<<timeout_words>>")

@task(persist_result=True, result_storage_key="<<result_key>>")
def gives(given):
    return "<<task_returned>>"

class <<exception_type>>(RuntimeError):
    pass

@flow(name="<<nested_name>>", log_prints=False)
def nested(given, other="<<nested_default>>"):
    """<<nested_doc>>"""
    print("<<not_logged>>")
    return Failed(message="<<said_state>>")

@flow
def quiet():
    return "<<nested_returned>>"

def tells_secrets():
    log = get_run_logger()
    for name in os.environ.get("SATFLOW_SECRETS", "").split(","):
        value = os.environ.get(name, "")
        data = value.encode()
        log.info(f"{value} {quote(value)} {json.dumps(value)} {value!r} {data.hex()} {base64.b64encode(data).decode()}")
        log.info(base64.urlsafe_b64encode(b"user:" + data + b"@host").decode())

def fails():
    """Does what Prefect may learn something from, and raises."""
    get_run_logger().info("<<logged>>")
    logging.getLogger("elsewhere").error("<<logged_elsewhere>>")
    print("<<printed>>", file=sys.stdout)
    Path("written.txt").write_text("<<written_file>>")
    try:
        raise OSError("<<caught>>")
    except OSError:
        pass
    create_markdown_artifact("<<artifact>>", key="<<artifact_key>>", description="<<artifact>>")
    update_progress_artifact(create_progress_artifact(0.0), 1.0, description="<<artifact>>")
    nested("<<nested_given>>", return_state=True)
    quiet()
    given = "<<task_given>>"
    gives(given)
    tells_secrets()
    <<task_function>>.submit(given).wait()
    waits.submit().wait()
    try:
        local.<<function>>()
    except KeyError as error:
        raise <<exception_type>>("<<words>>") from error  # <<raising_line>>

@flow(name="<<flow_name>>", flow_run_name="<<flow_run_name>>", version="<<flow_version>>", log_prints=True)
def main(
    how: str,
    given: str = "",
    <<parameter>>: str = "<<default>>",
    kind: Kind = Kind.A,
    model: <<model>> | None = None,
):
    """<<flow_doc>>"""
    # <<comment>>
    <<local_variable>> = "<<constant>>"
    helper()
    if how == "exit":
        raise SystemExit("<<exit_words>>")
    if how == "cluster":
        <<task_function>>.submit(given).wait()
    if how != "return":
        fails()
    return "<<flow_returned>>"
''',
)
"""`CYCLE` is the cycle's number, so that each registers a version."""

REGISTER = """
import time
import satflow_ext
from satflow_ext.errors import PrefectFailed

for _patience in range(9):
    try:
        _made = satflow_ext.register(
            main, name="<<deployment>>", tags=["<<tag>>"], work_pool="<<work_pool>>", description="<<description>>",
            concurrency_limit=100,
            infrastructure={"env": {"<<job_variable_name>>": "<<job_variable>>"}}, include=["<<file_name>>.csv"],
            parameters={"how": "flow", "given": "<<set_when_registered>>"}, **dict(OPTIONS),
            schedules=[{"cron": "0 6 * * *", "name": "<<schedule_name>>", "parameters": {"given": "<<set_for_a_schedule>>"}}],
        )
        break
    except PrefectFailed:  # three kernels and three Prefect workers share one SQLite database
        time.sleep(2)
else:
    raise TimeoutError("Prefect is too busy")
"""
