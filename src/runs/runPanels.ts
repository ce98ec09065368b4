import type {
  ClusterStatus,
  ErrorBody,
  LogLine,
  ResultPreview,
  Run,
  RunDetail,
  RunVersion,
  TaskRunDetail
} from '../_api';
import type { OnDaskPages } from '../clusters/daskPages';
import type { ISample } from '../clusters/sampleHistory';
import type { IRegistryEntry, Registry } from '../components/registry';
import type { ILinkedLine, LogState } from './log';
import type { ITaskRuns } from './taskRuns';

/** Actions of a run's tab. */
export interface IRunActions {
  onCancel: (run: Run) => void;
  onRetry: (run: Run) => void;
  onRunAgain: (run: Run) => void;
  /** Compare the run with another one of its deployment. */
  onCompare: (run: Run) => void;
  /** Show the changes of a version of the deployment of a run. */
  onShowVersions: (run: Run, version: number) => void;
  /** Open another run, such as a nested one. */
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
  onDownload: () => void;
  /** Copy lines of the log; `count` is their number. */
  onCopyLines: (text: string, count: number) => void;
  /** Copy a link to a line of the log. */
  onCopyLink: (lineId: string) => void;
  /** Read the version of its deployment that the run executes. */
  onReadVersion: () => Promise<RunVersion>;
  /** Read what the flow returned, as far as it can be shown. */
  onReadResult: () => Promise<ResultPreview>;
  /** Insert a cell into the current notebook that reads the result. */
  onInsertResult: (run: Run) => void;
  /** Read the states and inputs of a task run. */
  onReadTaskRun: (id: string) => Promise<TaskRunDetail>;
  onDaskPages: OnDaskPages;
}

/** The task runs to which a log is restricted: those of a task, or a single one. */
export interface ITaskFilter {
  task: string;
  /** The id of the task run, or null for all runs of the task. */
  taskRunId: string | null;
}

/** A run as its panels receive it; they are rendered again when it changes. */
export interface IShownRun {
  /** The run with its artifacts. */
  detail: RunDetail;
  /** The task runs of the run, as far as they are loaded. */
  tasks: ITaskRuns;
  /** The names of the Dask workers that ran tasks, by the ids of task runs, as far as the log shows them. */
  workers: ReadonlyMap<string, string>;
  /** The lines of the log that are loaded. */
  lines: readonly LogLine[];
  /** The loading state of the log. */
  progress: LogState;
  /** The last known status of the run's Dask cluster; null if it has none. */
  cluster: ClusterStatus | null;
  /** The load of the cluster over the last minutes. */
  samples: readonly ISample[];
  /** The error of the live updates. */
  streamError: ErrorBody | null;
  /** True if the user wants an opened log to scroll along. */
  follow: boolean;
  /** The task runs to which the log is restricted, or null. */
  logFilter: ITaskFilter | null;
  /** Show the log of these task runs, or of all with null. */
  onShowLog: (filter: ITaskFilter | null) => void;
  /** The line of the log to show and mark; null if the run was not opened by a link to one. */
  linkedLine?: ILinkedLine | null;
  actions: IRunActions;
}

/** A panel of a run's view, with its own tab. */
export interface IRunPanel extends IRegistryEntry {
  /** The label of the tab. */
  label: string | ((run: IShownRun) => string);
  /** Render the panel of a run; it may use hooks. */
  render: (run: IShownRun) => JSX.Element | null;
}

/** The panels of the runs' views; the ranks of our own are 100 (log), 150 (result), 200 (tasks), 300 (cluster), 350
 * (artifacts) and 400 (details). */
export type RunPanels = Registry<IRunPanel>;
