import type {
  ClusterStatus,
  ErrorBody,
  LogLine,
  Run,
  RunDetail
} from '../_api';
import type { OnDaskPages } from '../clusters/daskPages';
import type { ISample } from '../clusters/sampleHistory';
import type { IRegistryEntry, Registry } from '../components/registry';
import type { LogState } from './log';

/** Actions of a run's tab. */
export interface IRunActions {
  onCancel: (run: Run) => void;
  onRetry: (run: Run) => void;
  onRunAgain: (run: Run) => void;
  onDownload: () => void;
  onDaskPages: OnDaskPages;
}

/** A run as its panels receive it; they are rendered again when it changes. */
export interface IShownRun {
  /** The run with its task runs and artifacts. */
  detail: RunDetail;
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
  actions: IRunActions;
}

/** A panel of a run's view, with its own tab. */
export interface IRunPanel extends IRegistryEntry {
  /** The label of the tab. */
  label: string | ((run: IShownRun) => string);
  /** Render the panel of a run; it may use hooks. */
  render: (run: IShownRun) => JSX.Element | null;
}

/** The panels of the runs' views; the ranks of our own are 100 (log), 200 (tasks), 300 (cluster) and 400 (details). */
export type RunPanels = Registry<IRunPanel>;
