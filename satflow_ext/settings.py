"""Settings in layers: Jupyter configuration, environment variables, a TOML file, defaults. The first that has a setting applies.

The file is `$SATFLOW_CONFIG`, else `satflow.toml` in the user's configuration folder. Every setting is also an environment
variable: `SATFLOW_WORK_POOL=team`, `SATFLOW_STORES__TEAM__URL=https://…`. Secrets are never settings: a store's headers refer
to environment variables, whose values are read when they are needed.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from satflow_ext.errors import SettingsWrong
from satflow_ext.prefect_profile import read_active_profile

GIB = 1024**3
RunStart = Literal["fork", "spare", "exec"]
RedactionLevel = Literal["everything", "messages", "types"]
"""The redaction level: how much the Prefect API receives of exceptions, nested flows and paths (docs/what-prefect-sees.md)."""

LOCAL = "local"
"""The name of the built-in store and the kind of the stack that runs it."""

LOCAL_PREFECT = "SATFLOW_LOCAL_PREFECT"
"""Environment variable of a kernel that executes a notebook: the local stack's Prefect API, as opposed to a configured one."""


ADMINISTERED = "SATFLOW_ADMINISTERED"
"""Environment variable of a Jupyter server and its children: the settings that its configuration fixes, as JSON."""


class AwsSettings(BaseModel):
    """Signing of requests to an S3-compatible store (AWS Signature Version 4).

    Args:
        region: region such as `eu-central-1`; servers other than AWS often accept `us-east-1`.
        key_id: name of the environment variable with the access key's id.
        secret_key: name of the environment variable with the secret key.
        session_token: name of the environment variable with the token of a temporary credential.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str
    key_id: str = "AWS_ACCESS_KEY_ID"
    secret_key: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a name, not a secret
    session_token: str | None = None


class StoreSettings(BaseModel):
    """A store of contents and manifests.

    Args:
        url: URL template `https://host/path/{digest}`; `{digest}` becomes `sha256:…`.
        method: HTTP method of uploads; reads always use GET.
        headers: header name → name of the environment variable with the header's whole value.
        aws: signing of requests, for an S3-compatible store.
        timeout: time-out of one request in seconds.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    method: Literal["PUT", "POST"] = "PUT"
    headers: dict[str, str] = {}
    aws: AwsSettings | None = None
    timeout: float = 60.0

    @field_validator("url")
    @classmethod
    def _is_template(cls, url: str) -> str:
        if not url.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        if url.count("{digest}") != 1:
            raise ValueError("must contain {digest} once")
        return url


class GatewaySettings(BaseModel):
    """A Dask Gateway.

    Args:
        url: URL of its API, `https://host/path`.
        schedulers: address for connections to schedulers, as `host:port`, if it differs from the URL's host and port.
        auth: how its users authenticate: HTTP basic authentication, or a token of JupyterHub.
        user: for basic authentication; None means the name of the user on this machine.
        credential: name of the environment variable with the password or token.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    schedulers: str | None = Field(None, pattern=r"^[^\s/]+:\d+$")
    auth: Literal["basic", "jupyterhub"] = "basic"
    user: str | None = None
    credential: str


class SizeSettings(BaseModel):
    """One worker size.

    Args:
        cores: the number of cores.
        memory: the memory in GiB.
        gpus: the number of GPUs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cores: int = Field(ge=1)
    memory: float = Field(gt=0)
    gpus: int = Field(0, ge=0)


SIZES = {
    "medium": SizeSettings(cores=2, memory=4),
    "large": SizeSettings(cores=2, memory=16),
    "xlarge": SizeSettings(cores=4, memory=32),
    "2xlarge": SizeSettings(cores=8, memory=64),
    "4xlarge": SizeSettings(cores=16, memory=128),
    "8xlarge": SizeSettings(cores=32, memory=256),
    "12xlarge": SizeSettings(cores=48, memory=384),
    "16xlarge": SizeSettings(cores=64, memory=512),
    "g4dnxlarge": SizeSettings(cores=4, memory=16, gpus=1),
    "g4dn4xlarge": SizeSettings(cores=16, memory=64, gpus=1),
    "g4dn8xlarge": SizeSettings(cores=32, memory=128, gpus=1),
    "p32xlarge": SizeSettings(cores=8, memory=61, gpus=1),
    "p38xlarge": SizeSettings(cores=32, memory=244, gpus=4),
    "p316xlarge": SizeSettings(cores=64, memory=488, gpus=8),
}
"""Saturn Cloud's worker sizes, with the names that its users are familiar with (prefect-saturn, `describe_sizes`)."""


class Settings(BaseSettings):
    """All settings.

    Args:
        state_dir: folder of permanent data: the local stack's database, contents and logs, and the user's keys (default:
            `satflow` in the user's data folder, `~/.local/share` on Linux).
        cache_dir: folder of data that can be recreated: environments built for runs, the template of new Prefect databases
            (default: `satflow` in the user's cache folder).
        secrets_dir: folder with one file for each secret's value, mounted on a machine where flows run.
        runtime_dir: folder of temporary data: lock, socket, record of the running stack, cluster status; local disk, mode 0700
            (default: `$XDG_RUNTIME_DIR/satflow`, or `run` in the state folder).
        prefect_api_url: the Prefect API to use instead of the local stack's; `local` is the local stack's (default: the
            environment variable `PREFECT_API_URL`, then the API of Prefect's active profile).
        store: the name of the store to register with; `local` is the built-in one.
        stores: other stores by name.
        runs_python: a local interpreter with the environment of remote Prefect workers; the pre-flight report loads with it.
        gateways: Dask Gateways by name, besides the local stack's own.
        work_pool: the work pool of registrations that do not specify one.
        trusted_keys: public keys whose owners' flows may run here besides the user's own: lines of text, or a file's path.
        tell_prefect: on a machine where flows run: how much the Prefect API receives of exceptions, nested flows and paths. None
            means everything for the local stack's API, and messages for any other.
        run_limit: the number of flow runs that the local stack executes at a time; further runs wait (default: the number of
            processors, at least four).
        run_start: on a machine where flows run: how their processes start. `fork`: as forks of a process that has done their
            imports. `spare`: in an interpreter that has done them and waits for one run. `exec`: as new interpreters (default:
            `fork` on Linux, `spare` elsewhere).
        content_limit: the maximum size of a flow content, in bytes.
        result_limit: on a machine where flows run: the maximum size of a stored result, in bytes. With 0, none is stored.
        inputs_limit: on a machine where flows run: the maximum size of the stored inputs of the failed tasks of a run, in bytes.
            With 0, none are stored.
        retention_days: how long the built-in store keeps content that is no longer referenced.
        notebook_runs: whether flows that are called in a notebook use the local stack's Prefect API if no other is configured,
            and so appear among the runs. Otherwise Prefect starts a temporary server for them.
        kernel_patience: seconds to wait for a kernel that is running a cell.
        worker_sizes: the available worker sizes; they replace the built-in table.
        disabled_executors: names of executors that registrations may not choose.
    """

    model_config = SettingsConfigDict(env_prefix="SATFLOW_", env_nested_delimiter="__", extra="forbid", frozen=True)

    state_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("satflow")))
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("satflow")))
    secrets_dir: Path = Path("/run/secrets")
    runtime_dir: Path = Field(default_factory=lambda values: _default_runtime_dir(values))
    prefect_api_url: str | None = Field(default_factory=lambda: _read_prefect_url())
    store: str = LOCAL
    stores: dict[str, StoreSettings] = {}
    runs_python: Path | None = None
    gateways: dict[str, GatewaySettings] = {}
    work_pool: str | None = None
    trusted_keys: str | None = None
    tell_prefect: RedactionLevel | None = None
    run_limit: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: max(os.cpu_count() or 1, 4))
    run_start: RunStart | None = None
    content_limit: Annotated[int, Field(gt=0)] = GIB // 4
    result_limit: Annotated[int, Field(ge=0)] = GIB // 16
    inputs_limit: Annotated[int, Field(ge=0)] = GIB // 64
    retention_days: Annotated[float, Field(ge=1)] = 30.0
    notebook_runs: bool = True
    kernel_patience: Annotated[float, Field(ge=0)] = 5.0
    worker_sizes: dict[str, SizeSettings] = SIZES
    disabled_executors: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _apply_administered(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {**values, **read_administered()}

    @field_validator("prefect_api_url")
    @classmethod
    def _may_be_local(cls, url: str | None) -> str | None:
        return None if url == LOCAL else url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Use environment variables over the file, without dotenv files and secrets folders."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def read_administered() -> dict[str, Any]:
    """Return the settings of the administrator of this Jupyter server; each replaces the whole setting of the user.

    Raises:
        ValueError: the variable is not JSON.
    """
    return dict(json.loads(os.environ.get(ADMINISTERED, "{}")))


def _read_prefect_url() -> str | None:
    """Return `PREFECT_API_URL`, or the API of Prefect's active profile.

    Neither applies to a kernel that executes a notebook, whose variable may be the local stack's address.
    """
    if url := os.environ.get("PREFECT_API_URL"):
        return url if url != os.environ.get(LOCAL_PREFECT) else None
    profile = read_active_profile()
    return profile.api_url if profile else None


def _default_runtime_dir(values: dict[str, Any]) -> Path:
    """Return `$XDG_RUNTIME_DIR/satflow`, or a folder inside the state folder without such a login session."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "satflow" if runtime else values["state_dir"] / "run"


def config_file() -> Path:
    """Return the path of the settings file, which need not exist."""
    named = os.environ.get("SATFLOW_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("satflow")) / "satflow.toml"


def load_settings() -> Settings:
    """Load the current settings.

    Raises:
        SettingsWrong: values are not valid (the message lists all of them), or the file or a variable cannot be read.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
    except (OSError, ValueError) as error:  # invalid TOML in the file, invalid JSON in a variable
        wrong = str(error)
    raise SettingsWrong(f"Invalid settings: {wrong}.", fix=f"See {config_file()} and SATFLOW_* variables.")
