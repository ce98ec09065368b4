"""Everything SatFlow raises on purpose.

    SatflowError
    ├── BadRequest              400  the request makes no sense
    │   ├── UnknownExecutor
    │   ├── UnknownWorkerSize
    │   ├── InvalidExecutorOption
    │   ├── UnknownBackEnd
    │   ├── InvalidSchedule
    │   ├── InvalidInclude
    │   ├── InvalidInfrastructure
    │   ├── InvalidSecretName
    │   └── InvalidParameter
    ├── SizeRefused             409  this machine, or a Dask Gateway, cannot give that worker size
    ├── ContentTooLarge         413
    ├── ParametersTooLarge      413
    ├── NotFound                404
    │   ├── FlowNotFound
    │   ├── KernelNotFound
    │   ├── DeploymentNotFound
    │   ├── VersionNotFound
    │   ├── RunNotFound
    │   ├── ClusterNotFound
    │   └── WorkPoolNotFound
    ├── FlowAmbiguous           409  two flows answer to that name
    ├── DeploymentTaken         409  somebody else than SatFlow made the deployment of that name
    ├── RegisteredElsewhere     409  another notebook registered the deployment of that name
    ├── VariableTaken           409  the notebook has something else under that name
    ├── KernelUnavailable       409
    │   ├── KernelBusy
    │   ├── KernelDied
    │   ├── KernelNotPython
    │   └── KernelLacksPackage
    ├── DiskFailed              507  a disk of this machine did not do what was asked
    │   ├── DiskFull                 it, or a quota on it, takes no more
    │   └── JournalFailed            it did not take, or give, the journal of registrations
    ├── CannotPickle            422  something the flow reaches cannot travel
    ├── NotebookFailed          422  a cell raised while a notebook was executed for registering
    ├── NotInGit                422  a run could not load the flow from a git repository
    ├── CommitNotFetched        502  git did not get the commit that a flow is loaded from
    ├── DeploymentContested     409  somebody else registers the same deployment at the same moment
    ├── DeploymentDrifted       409  somebody changed or deleted in Prefect what this would overwrite
    ├── PythonMismatch          409  made by one Python, about to be read by another
    ├── NoDaskCluster           409  a dask client was asked for where there is no Dask cluster
    ├── PackageMismatch         409  made with another major version of a package that has to read it
    ├── ContentRefused          409  content or manifest that is not what it should be; nothing of it was unpickled
    │   ├── NotTrusted               signed by a key that is not trusted here
    │   └── SignatureWrong           changed after it was signed
    ├── KeysRefused             409  a file with keys that is missing, unreadable, or open to others
    ├── StoreFailed             502  the store did not do what was asked
    │   ├── StoreUnreachable
    │   ├── StoreUnauthorized
    │   ├── StoreFull
    │   ├── StoreAnsweredHtml
    │   └── ContentMissing
    ├── PrefectFailed           502  the Prefect API did not do what was asked
    │   ├── PrefectUnreachable
    │   └── PrefectUnauthorized
    ├── EnvironmentDiffers      409  a run's packages are not those of the registration
    ├── CannotRecreate          422  something that is installed comes from no index
    ├── EnvironmentNotBuilt     502  uv did not build the environment
    ├── SecretsMissing          409  a credential that the flow needs was not found
    ├── ExtraMissing            409  an optional package that this needs is not installed
    ├── ClusterFailed           502  a Dask cluster, or what runs it, did not do what was asked
    │   ├── GatewayUnreachable
    │   ├── GatewayUnauthorized
    │   ├── GatewayRefused           it gives no cluster like that, or not now
    │   └── ClusterNotStarted        it failed, or was not ready in time
    ├── DaskClusterUnfit        409  a Dask cluster lacks what tasks of a flow need
    ├── StackFailed             503  the local stack did not start
    └── SettingsWrong           409  settings contradict each other or cannot be read

Each message says what happened and to what; `fix` says what to do next. `status` is the HTTP status of the reply that tells
of it: one place, the base handler of `satflow_ext.server`, turns these into JSON.
"""

from __future__ import annotations


class SatflowError(Exception):
    """Something went wrong that the user can understand.

    Args:
        message: what happened, and to what.
        fix: what the user can do next.
        field: the request field (dotted path) that the mistake stands in.
    """

    status = 500

    def __init__(self, message: str, *, fix: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field

    def __str__(self) -> str:
        return f"{self.message} {self.fix}" if self.fix else self.message

    def for_log(self) -> str:
        """What a server may write into its log: never a user's data."""
        return str(self)


class BadRequest(SatflowError):
    """The request makes no sense."""

    status = 400


class UnknownExecutor(BadRequest):
    """No executor has that name."""


class UnknownWorkerSize(BadRequest):
    """No worker size has that name."""


class InvalidExecutorOption(BadRequest):
    """The executor has no such option, or not with that value."""


class UnknownBackEnd(BadRequest):
    """No back end of clusters has that name, or its class is not there where the flow would run."""


class InvalidSchedule(BadRequest):
    """No schedule can be made of that cron line, interval or time zone."""


class InvalidInclude(BadRequest):
    """A pattern for data files leads out of the notebook's folder or matches nothing, or what it matches cannot travel."""


class InvalidInfrastructure(BadRequest):
    """The work pool cannot start flow runs with that, or it is no place for it."""

    def for_log(self) -> str:
        """Which field: what does not fit stands in the message."""
        return f"{self.field or 'infrastructure'} does not fit."


class InvalidSecretName(BadRequest):
    """A text that cannot be the name of a credential. It is not repeated: it may be the value, given by mistake."""

    def __init__(self) -> None:
        fix = "Give the name of a credential, such as AWS_SECRET_ACCESS_KEY, never its value."
        super().__init__("One of the secrets has no usable name.", fix=fix, field="secrets")


class InvalidParameter(BadRequest):
    """A parameter's value does not fit its type, or a required one is missing."""

    def for_log(self) -> str:
        """Which parameter: a validator that the user wrote may repeat the value in its message."""
        return f"{self.field or 'a parameter'} does not fit."


class SizeRefused(SatflowError):
    """This machine, or a Dask Gateway, cannot give what the worker size asks for."""

    status = 409


class ContentTooLarge(SatflowError):
    """The flow and what it captures are larger than the limit."""

    status = 413


class ParametersTooLarge(SatflowError):
    """Prefect takes at most 524,288 bytes of parameters (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""

    status = 413


class NotFound(SatflowError):
    """There is no such thing."""

    status = 404


class FlowNotFound(NotFound):
    """No flow of that name lives in the kernel."""


class KernelNotFound(NotFound):
    """No kernel has that id."""


class DeploymentNotFound(NotFound):
    """No deployment has that id or name."""


class VersionNotFound(NotFound):
    """The deployment has no version of that number, or nothing tells of it any more."""


class RunNotFound(NotFound):
    """No flow run has that id."""


class ClusterNotFound(NotFound):
    """The deployment has no cluster of its own now."""


class WorkPoolNotFound(NotFound):
    """No work pool has that name."""


class FlowAmbiguous(SatflowError):
    """More than one flow answers to that name."""

    status = 409


class DeploymentTaken(SatflowError):
    """Somebody else than SatFlow made the deployment of that name."""

    status = 409


class RegisteredElsewhere(SatflowError):
    """Another notebook registered the deployment of that name, or it is not known which one did."""

    status = 409


class VariableTaken(SatflowError):
    """The notebook has something else under the name that a loaded flow would get."""

    status = 409


class KernelUnavailable(SatflowError):
    """The kernel cannot answer."""

    status = 409


class KernelBusy(KernelUnavailable):
    """The kernel is running a cell; nothing is asked of it until it is idle."""


class KernelDied(KernelUnavailable):
    """The kernel died or was restarted before it answered."""


class KernelNotPython(KernelUnavailable):
    """The kernel speaks another language than Python."""


class KernelLacksPackage(KernelUnavailable):
    """The kernel's environment has no `satflow_ext` or no `prefect`."""


class DiskFailed(SatflowError):
    """A disk of this machine did not do what was asked."""

    status = 507


class DiskFull(DiskFailed):
    """A disk of this machine, or a quota on it, takes no more."""


class JournalFailed(DiskFailed):
    """The journal of registrations cannot be written or read."""


class CannotPickle(SatflowError):
    """Something the flow reaches cannot travel to another process."""

    status = 422


class NotebookFailed(SatflowError):
    """A cell raised while a notebook was executed for registering."""

    status = 422


class NotInGit(SatflowError):
    """A run could not load the flow from a git repository: it is not committed, not pushed, or no Python file."""

    status = 422


class CommitNotFetched(SatflowError):
    """Git did not get the commit that a flow is loaded from."""

    status = 502


class DeploymentContested(SatflowError):
    """Somebody else registers the same deployment at the same moment."""

    status = 409


class DeploymentDrifted(SatflowError):
    """Somebody has changed or deleted a deployment in Prefect, and registering would overwrite that."""

    status = 409


class PythonMismatch(SatflowError):
    """The flow content was made by another Python than the one about to read it."""

    status = 409


class NoDaskCluster(SatflowError):
    """A dask client was asked for where there is no Dask cluster."""

    status = 409


class PackageMismatch(SatflowError):
    """The flow content was made with another major version of a package than the one that would read it."""

    status = 409


class ContentRefused(SatflowError):
    """A flow content or manifest is not what it should be. Nothing of it was unpickled."""

    status = 409


class NotTrusted(ContentRefused):
    """It was signed by a key that is not trusted here."""


class SignatureWrong(ContentRefused):
    """It is not what was signed."""


class KeysRefused(SatflowError):
    """A key, or a file with keys, is missing, cannot be read, or others can get at it."""

    status = 409


class StoreFailed(SatflowError):
    """The store did not do what was asked."""

    status = 502


class StoreUnreachable(StoreFailed):
    """Nothing answers at the store's address."""


class StoreUnauthorized(StoreFailed):
    """The store refused the credential."""


class StoreFull(StoreFailed):
    """The store has no room, or takes nothing of that size."""


class StoreAnsweredHtml(StoreFailed):
    """The store answered with a web page, such as a login page."""


class ContentMissing(StoreFailed):
    """The store has nothing under that digest."""


class PrefectFailed(SatflowError):
    """The Prefect API did not do what was asked."""

    status = 502


class PrefectUnreachable(PrefectFailed):
    """Nothing answers at the Prefect API's address, or what answers is no Prefect API."""


class PrefectUnauthorized(PrefectFailed):
    """The Prefect API refused the credential."""


class EnvironmentDiffers(SatflowError):
    """The packages of a flow run are not those that the flow was registered with."""

    status = 409


class CannotRecreate(SatflowError):
    """An environment cannot be built again: something in it comes from no index."""

    status = 422


class EnvironmentNotBuilt(SatflowError):
    """The environment of a flow run was not built."""

    status = 502


class SecretsMissing(SatflowError):
    """A credential that the flow needs was not found where the flow runs."""

    status = 409


class DaskClusterUnfit(SatflowError):
    """A Dask cluster lacks what tasks of a flow need."""

    status = 409


class ExtraMissing(SatflowError):
    """An optional package that this needs is not installed."""

    status = 409


class ClusterFailed(SatflowError):
    """A cluster, or what runs it, did not do what was asked."""

    status = 502


class GatewayUnreachable(ClusterFailed):
    """Nothing answers at the Dask Gateway's address, or what answers is no Dask Gateway."""


class GatewayUnauthorized(ClusterFailed):
    """The Dask Gateway refused the credential."""


class GatewayRefused(ClusterFailed):
    """The Dask Gateway gives no cluster like that, or not now."""

    status = 409


class ClusterNotStarted(ClusterFailed):
    """The cluster failed while it started, or was not ready in time; it was cleaned up."""


class StackFailed(SatflowError):
    """The local stack did not start."""

    status = 503


class SettingsWrong(SatflowError):
    """Settings contradict each other or cannot be read."""

    status = 409
