"""The exceptions that SatFlow raises.

    SatflowError
    ├── BadRequest              400  the request is not valid
    │   ├── UnknownExecutor
    │   ├── ExecutorDisabled
    │   ├── UnknownWorkerSize
    │   ├── InvalidExecutorOption
    │   ├── UnknownBackEnd
    │   ├── InvalidSchedule
    │   ├── InvalidAutomation
    │   ├── InvalidInclude
    │   ├── InvalidInfrastructure
    │   ├── InvalidSecretName
    │   └── InvalidParameter
    ├── SizeRefused             409  this machine, or a Dask Gateway, cannot provide that worker size
    ├── ContentTooLarge         413
    ├── ParametersTooLarge      413
    ├── NotFound                404
    │   ├── FlowNotFound
    │   ├── KernelNotFound
    │   ├── DeploymentNotFound
    │   ├── VersionNotFound
    │   ├── RunNotFound
    │   ├── RunGroupNotFound
    │   ├── ResultMissing
    │   ├── TaskRunNotFound
    │   ├── InputNotKept
    │   ├── ClusterNotFound
    │   └── WorkPoolNotFound
    ├── RunFailed               409  a flow run did not complete, so it has no result
    ├── CannotCancel            409  a kernel executes the flow run
    ├── CannotRetry             409  the flow run has not ended, has completed, or does not belong to a deployment
    ├── RunGroupTaken           409  the run group of that name belongs to another deployment
    ├── FlowAmbiguous           409  several flows have that name
    ├── DeploymentTaken         409  the deployment of that name was not created by SatFlow
    ├── RegisteredElsewhere     409  another notebook registered the deployment of that name
    ├── VariableTaken           409  the notebook uses that variable for another object
    ├── KernelUnavailable       409
    │   ├── KernelBusy
    │   ├── KernelDied
    │   ├── KernelNotPython
    │   └── KernelLacksPackage
    ├── DiskFailed              507  a disk of this machine failed
    │   ├── DiskFull                 the disk, or a quota on it, is full
    │   ├── JournalFailed            the journal of registrations cannot be written or read
    │   └── RunGroupsFailed          the database of run groups cannot be written or read
    ├── CannotPickle            422  an object that the flow reaches cannot be pickled
    ├── NotebookFailed          422  a cell raised while a notebook was executed for registering
    ├── NotInGit                422  a run could not load the flow from a git repository
    ├── CommitNotFetched        502  git could not fetch the commit that a flow is loaded from
    ├── DeploymentContested     409  another process registers the same deployment at the same time
    ├── DeploymentDrifted       409  the deployment was changed or deleted in Prefect
    ├── PythonMismatch          409  the content was packed by another Python version
    ├── MemoryLimitExceeded     409  a flow run needs more memory than its limit
    ├── NoDaskCluster           409  a dask client was requested without a Dask cluster
    ├── PackageMismatch         409  the content was packed with another major version of a package
    ├── ContentRefused          409  the content or manifest is not valid; no part of it was unpickled
    │   ├── NotTrusted               signed by a key that is not trusted here
    │   └── SignatureWrong           changed after it was signed
    ├── KeysRefused             409  a key file is missing, unreadable, or accessible to other users
    ├── StoreFailed             502  a request to the store failed
    │   ├── StoreUnreachable
    │   ├── StoreUnauthorized
    │   ├── StoreFull
    │   ├── StoreAnsweredHtml
    │   └── ContentMissing
    ├── PrefectFailed           502  a request to the Prefect API failed
    │   ├── PrefectUnreachable
    │   └── PrefectUnauthorized
    ├── NotificationFailed      502  Prefect could not send a notification
    ├── EnvironmentDiffers      409  a run's packages differ from those of the registration
    ├── CannotRecreate          422  an installed distribution does not come from an index
    ├── EnvironmentNotBuilt     502  uv could not build the environment
    ├── SecretsMissing          409  a credential that the flow needs was not found
    ├── ExtraMissing            409  a required optional package is not installed
    ├── ClusterFailed           502  a Dask cluster, or the service that runs it, failed
    │   ├── GatewayUnreachable
    │   ├── GatewayUnauthorized
    │   ├── GatewayRefused           it does not provide such a cluster, or not now
    │   └── ClusterNotStarted        it failed, or was not ready in time
    ├── DaskClusterUnfit        409  a Dask cluster lacks packages or resources that tasks need
    ├── StackFailed             503  the local stack did not start
    └── SettingsWrong           409  settings contradict each other or cannot be read

Each message names the failure and the affected object; `fix` is the next step for the user. `status` is the HTTP status of the
reply. One place, the base handler of `satflow_ext.server`, converts these exceptions to JSON.
"""

from __future__ import annotations


class SatflowError(Exception):
    """The base class: a failure with an explanation for the user.

    Args:
        message: the failure, and the affected object.
        fix: the next step for the user.
        field: the request field (dotted path) with the mistake.
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
        """Return the text for a server's log, which must not contain a user's data."""
        return str(self)


class BadRequest(SatflowError):
    """The request is not valid."""

    status = 400


class UnknownExecutor(BadRequest):
    """No executor has that name."""


class ExecutorDisabled(BadRequest):
    """The settings disable that executor."""


class UnknownWorkerSize(BadRequest):
    """No worker size has that name."""


class InvalidExecutorOption(BadRequest):
    """The executor does not have that option, or does not accept its value."""


class UnknownBackEnd(BadRequest):
    """No cluster provider has that name, or its class is not installed where the flow would run."""


class InvalidAutomation(BadRequest):
    """A notification or a trigger is not valid, or names a block or a deployment that Prefect does not have."""


class InvalidSchedule(BadRequest):
    """The cron expression, interval or time zone is not valid."""


class InvalidInclude(BadRequest):
    """A pattern for data files leaves the notebook's folder or matches nothing, or a matching file cannot be packed."""


class InvalidInfrastructure(BadRequest):
    """The work pool cannot start flow runs with that setting, or does not support it."""

    def for_log(self) -> str:
        """Return the field only, because the message contains the invalid value."""
        return f"{self.field or 'infrastructure'} is not valid."


class InvalidSecretName(BadRequest):
    """A text is not a valid name of a credential. The message omits it: it may be the secret's value."""

    def __init__(self) -> None:
        fix = "Give the name of a credential, such as AWS_SECRET_ACCESS_KEY, never its value."
        super().__init__("One of the secrets has an invalid name.", fix=fix, field="secrets")


class InvalidParameter(BadRequest):
    """A parameter's value does not match its type, or a required one is missing."""

    def for_log(self) -> str:
        """Return the parameter only, because a validator of the user may repeat the value in its message."""
        return f"{self.field or 'a parameter'} is not valid."


class SizeRefused(SatflowError):
    """This machine, or a Dask Gateway, cannot provide the requested worker size."""

    status = 409


class ContentTooLarge(SatflowError):
    """The flow and its captured objects are larger than the limit."""

    status = 413


class ParametersTooLarge(SatflowError):
    """The parameters exceed Prefect's limit of 524,288 bytes (PREFECT_SERVER_API_MAX_PARAMETER_SIZE)."""

    status = 413


class NotFound(SatflowError):
    """The requested object does not exist."""

    status = 404


class FlowNotFound(NotFound):
    """The kernel has no flow with that name."""


class KernelNotFound(NotFound):
    """No kernel has that id."""


class DeploymentNotFound(NotFound):
    """No deployment has that id or name."""


class VersionNotFound(NotFound):
    """The deployment has no version with that number, or its records no longer exist."""


class RunNotFound(NotFound):
    """No flow run has that id."""


class RunGroupNotFound(NotFound):
    """This machine has no run group with that name or id."""


class ResultMissing(NotFound):
    """The result of a flow run was not stored, or is no longer in the store."""


class TaskRunNotFound(NotFound):
    """The flow run has no task run with that id."""


class InputNotKept(NotFound):
    """An input of a failed task was not kept, or cannot be read here."""


class ClusterNotFound(NotFound):
    """The deployment has no shared cluster now."""


class WorkPoolNotFound(NotFound):
    """No work pool has that name."""


class RunFailed(SatflowError):
    """A flow run failed, crashed or was cancelled, so it has no result."""

    status = 409


class CannotCancel(SatflowError):
    """A kernel executes the flow run, because its flow was called in a cell."""

    status = 409


class CannotRetry(SatflowError):
    """A flow run cannot be retried: it has not ended, it has completed, or it does not belong to a deployment."""

    status = 409


class RunGroupTaken(SatflowError):
    """The run group of that name belongs to another deployment."""

    status = 409


class FlowAmbiguous(SatflowError):
    """More than one flow has that name."""

    status = 409


class DeploymentTaken(SatflowError):
    """The deployment of that name was not created by SatFlow."""

    status = 409


class RegisteredElsewhere(SatflowError):
    """Another notebook, or one that cannot be determined, registered the deployment of that name."""

    status = 409


class VariableTaken(SatflowError):
    """The notebook uses the variable of a loaded flow for another object."""

    status = 409


class KernelUnavailable(SatflowError):
    """The kernel cannot answer."""

    status = 409


class KernelBusy(KernelUnavailable):
    """The kernel is running a cell; it receives no request until it is idle."""


class KernelDied(KernelUnavailable):
    """The kernel died or was restarted before it answered."""


class KernelNotPython(KernelUnavailable):
    """The kernel's language is not Python."""


class KernelLacksPackage(KernelUnavailable):
    """The kernel's environment has no `satflow_ext` or no `prefect`."""


class DiskFailed(SatflowError):
    """A disk of this machine failed."""

    status = 507


class DiskFull(DiskFailed):
    """A disk of this machine, or a quota on it, is full."""


class JournalFailed(DiskFailed):
    """The journal of registrations cannot be written or read."""


class RunGroupsFailed(DiskFailed):
    """The database of run groups cannot be written or read."""


class CannotPickle(SatflowError):
    """An object that the flow reaches cannot be pickled."""

    status = 422


class NotebookFailed(SatflowError):
    """A cell raised while a notebook was executed for registering."""

    status = 422


class NotInGit(SatflowError):
    """A run could not load the flow from a git repository: it is not committed, not pushed, or not a Python file."""

    status = 422


class CommitNotFetched(SatflowError):
    """Git could not fetch the commit that a flow is loaded from."""

    status = 502


class DeploymentContested(SatflowError):
    """Another process registers the same deployment at the same time."""

    status = 409


class DeploymentDrifted(SatflowError):
    """A deployment was changed or deleted in Prefect, and the registration would overwrite that change."""

    status = 409


class PythonMismatch(SatflowError):
    """The flow content was packed by another Python version than the one that would read it."""

    status = 409


class MemoryLimitExceeded(SatflowError):
    """A flow run needs more memory than its limit."""

    status = 409


class NoDaskCluster(SatflowError):
    """A dask client was requested without a Dask cluster."""

    status = 409


class PackageMismatch(SatflowError):
    """The flow content was packed with another major version of a package than the one that would read it."""

    status = 409


class ContentRefused(SatflowError):
    """A flow content or manifest is not valid. No part of it was unpickled."""

    status = 409


class NotTrusted(ContentRefused):
    """The content or manifest was signed by a key that is not trusted here."""


class SignatureWrong(ContentRefused):
    """The content or manifest was changed after it was signed."""


class KeysRefused(SatflowError):
    """A key, or a file with keys, is missing, cannot be read, or is accessible to other users."""

    status = 409


class StoreFailed(SatflowError):
    """A request to the store failed."""

    status = 502


class StoreUnreachable(StoreFailed):
    """Nothing answers at the store's address."""


class StoreUnauthorized(StoreFailed):
    """The store refused the credential."""


class StoreFull(StoreFailed):
    """The store has no space left, or does not accept content of that size."""


class StoreAnsweredHtml(StoreFailed):
    """The store answered with a web page, such as a login page."""


class ContentMissing(StoreFailed):
    """The store has no content with that digest."""


class PrefectFailed(SatflowError):
    """A request to the Prefect API failed."""

    status = 502


class PrefectUnreachable(PrefectFailed):
    """Nothing answers at the Prefect API's address, or another server does."""


class PrefectUnauthorized(PrefectFailed):
    """The Prefect API refused the credential."""


class NotificationFailed(SatflowError):
    """Prefect could not send a notification."""

    status = 502


class EnvironmentDiffers(SatflowError):
    """The packages of a flow run differ from those of the registration."""

    status = 409


class CannotRecreate(SatflowError):
    """An environment cannot be recreated because one of its distributions does not come from an index."""

    status = 422


class EnvironmentNotBuilt(SatflowError):
    """The environment of a flow run could not be built."""

    status = 502


class SecretsMissing(SatflowError):
    """A credential that the flow needs was not found where the flow runs."""

    status = 409


class DaskClusterUnfit(SatflowError):
    """A Dask cluster lacks packages or resources that tasks of a flow need."""

    status = 409


class ExtraMissing(SatflowError):
    """A required optional package is not installed."""

    status = 409


class ClusterFailed(SatflowError):
    """A Dask cluster, or the service that runs it, failed."""

    status = 502


class GatewayUnreachable(ClusterFailed):
    """Nothing answers at the Dask Gateway's address, or another server does."""


class GatewayUnauthorized(ClusterFailed):
    """The Dask Gateway refused the credential."""


class GatewayRefused(ClusterFailed):
    """The Dask Gateway does not provide such a cluster, or not now."""

    status = 409


class ClusterNotStarted(ClusterFailed):
    """The cluster failed during its start, or was not ready in time; it was cleaned up."""


class StackFailed(SatflowError):
    """The local stack did not start."""

    status = 503


class SettingsWrong(SatflowError):
    """Settings contradict each other or cannot be read."""

    status = 409
