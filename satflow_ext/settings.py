"""Settings, in layers: environment variables over a TOML file over defaults.

The file is `$SATFLOW_CONFIG`, else `satflow.toml` in the user's configuration folder. Every setting is also an environment
variable: `SATFLOW_WORK_POOL=team`, `SATFLOW_STORES__TEAM__URL=https://…`. Secrets are never settings: a store's headers name
environment variables, and the values are read from those when they are needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from satflow_ext.errors import SettingsWrong

GIB = 1024**3
Telling = Literal["everything", "messages", "types"]
"""How much the Prefect API is told of exceptions, nested flows and places (docs/what-prefect-sees.md)."""

LOCAL = "local"
"""The name of the built-in store and the kind of the stack that runs it."""

LOCAL_PREFECT = "SATFLOW_LOCAL_PREFECT"
"""Environment variable of a kernel that executes a notebook: the local stack's Prefect API, which is not a configured one."""


class AwsSettings(BaseModel):
    """Requests that are signed as S3 wants it (AWS Signature Version 4).

    Args:
        region: such as `eu-central-1`; servers of others often take `us-east-1`.
        key_id: name of the environment variable that holds the access key's id.
        secret_key: name of the one that holds the secret key.
        session_token: name of the one that holds the token of a temporary credential.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str
    key_id: str = "AWS_ACCESS_KEY_ID"
    secret_key: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - a name, not a secret
    session_token: str | None = None


class StoreSettings(BaseModel):
    """Where and how contents are kept under one store name.

    Args:
        url: `https://host/path/{digest}`; `{digest}` becomes `sha256:…`.
        method: how a content is sent there; reading is always GET.
        headers: header name → name of the environment variable that holds the header's whole value.
        aws: how requests are signed, for an S3-compatible store.
        timeout: seconds for one request.
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
    """A Dask Gateway under one name.

    Args:
        url: of its API, `https://host/path`.
        schedulers: where it takes connections to schedulers, as `host:port`, where that is not the url's host and port.
        auth: how its users say who they are: HTTP basic authentication, or a token of JupyterHub.
        user: for basic authentication; None means the name of the user on this machine.
        credential: name of the environment variable that holds the password or token.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(pattern=r"^https?://")
    schedulers: str | None = Field(None, pattern=r"^[^\s/]+:\d+$")
    auth: Literal["basic", "jupyterhub"] = "basic"
    user: str | None = None
    credential: str


class SizeSettings(BaseModel):
    """One worker size: cores, memory in GiB, and GPUs."""

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
"""Saturn Cloud's worker sizes, which its users know by name (prefect-saturn, `describe_sizes`)."""


class Settings(BaseSettings):
    """Everything that can be set.

    Args:
        state_dir: what must survive: the local stack's database, contents and logs, and the user's keys.
        cache_dir: what can be made again: environments built for runs.
        secrets_dir: where the values of secrets are mounted, one file for each, on a machine where flows run.
        runtime_dir: what need not: lock, socket, record of the running stack, cluster status. On a local disk, mode 0700.
        prefect_api_url: the Prefect API to use instead of the local stack's (`PREFECT_API_URL` counts as well).
        store: the name of the store to register with; `local` is the built-in one.
        stores: other stores by name.
        runs_python: an interpreter here whose environment is that of the Prefect workers elsewhere: the pre-flight loads with it.
        gateways: Dask Gateways by name, besides the local stack's own.
        work_pool: the work pool to register with when a registration names none.
        trusted_keys: public keys whose owners' flows may run here besides the user's own: lines of text, or a file's path.
        tell_prefect: where flows run: how much the Prefect API is told of exceptions, nested flows and places. None means
            everything to the local stack's, and messages to any other.
        run_limit: how many flow runs the local stack executes at a time; further ones wait.
        content_limit: the largest flow content, in bytes.
        retention_days: how long the built-in store keeps what nobody refers to any more.
        kernel_patience: seconds to wait for a kernel that is running a cell.
        worker_sizes: the sizes on offer; given here, they replace the built-in table.
    """

    model_config = SettingsConfigDict(env_prefix="SATFLOW_", env_nested_delimiter="__", extra="forbid", frozen=True)

    state_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("satflow")))
    cache_dir: Path = Field(default_factory=lambda: Path(platformdirs.user_cache_dir("satflow")))
    secrets_dir: Path = Path("/run/secrets")
    runtime_dir: Path = Field(default_factory=lambda: _runtime_dir())
    prefect_api_url: str | None = Field(default_factory=lambda: _prefect_of_environment())
    store: str = LOCAL
    stores: dict[str, StoreSettings] = {}
    runs_python: Path | None = None
    gateways: dict[str, GatewaySettings] = {}
    work_pool: str | None = None
    trusted_keys: str | None = None
    tell_prefect: Telling | None = None
    run_limit: Annotated[int, Field(ge=1)] = Field(default_factory=lambda: max(os.cpu_count() or 1, 4))
    content_limit: Annotated[int, Field(gt=0)] = GIB // 4
    retention_days: Annotated[float, Field(ge=1)] = 30.0
    kernel_patience: Annotated[float, Field(ge=0)] = 5.0
    worker_sizes: dict[str, SizeSettings] = SIZES

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; no dotenv and no secrets folder."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def _prefect_of_environment() -> str | None:
    """`PREFECT_API_URL`, unless it is the local stack's, set for a kernel that executes a notebook."""
    url = os.environ.get("PREFECT_API_URL")
    return url if url and url != os.environ.get(LOCAL_PREFECT) else None


def _runtime_dir() -> Path:
    """`$XDG_RUNTIME_DIR/satflow`, or inside the state folder where a login session made no such folder."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) / "satflow" if runtime else Path(platformdirs.user_data_dir("satflow")) / "run"


def config_file() -> Path:
    """The settings file, which need not exist."""
    named = os.environ.get("SATFLOW_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("satflow")) / "satflow.toml"


def load_settings() -> Settings:
    """The settings in force now.

    Raises:
        SettingsWrong: a value does not fit, and the message names each one; or the file or a variable cannot be read.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
    except (OSError, ValueError) as error:  # no TOML in the file, no JSON in a variable
        wrong = str(error)
    raise SettingsWrong(f"Wrong settings: {wrong}.", fix=f"See {config_file()} and SATFLOW_* variables.")
