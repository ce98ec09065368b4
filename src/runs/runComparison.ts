import type { JsonObject, JsonValue, RunDetail } from '../_api';
import type { IClient } from '../client';
import { ActionModel } from '../components/actionModel';
import { hasFailed } from '../format';
import { TaskRunStore } from './taskRuns';
import { groupTasks, type ITaskGroup } from './tasks';

type IComparisonClient = Pick<
  IClient,
  'run' | 'runVersion' | 'taskRuns' | 'log'
>;

/** Two values, one of each run; undefined where a run has none. */
export type Pair<T> = readonly [T | undefined, T | undefined];

/** A run with its parameters, including defaults, and its tasks. */
export interface IComparedRun {
  detail: RunDetail;
  parameters: JsonObject;
  tasks: readonly ITaskGroup[];
}

/** A parameter or task with its values in both runs. */
export interface IComparedValue<T> {
  name: string;
  values: Pair<T>;
}

/** Maximum number of lines of each log; the others are left out from the beginning. */
const LOG_LINES = 2000;

/** Two runs, read once. */
export class RunComparison extends ActionModel {
  constructor(
    readonly ids: readonly [string, string],
    private readonly client: IComparisonClient
  ) {
    super();
  }

  /** The runs; null until they were read. */
  get runs(): readonly [IComparedRun, IComparedRun] | null {
    return this._runs;
  }

  /** The last lines of both logs; null until they were read. */
  get logs(): readonly [string, string] | null {
    return this._logs;
  }

  load(): Promise<void> {
    return this.runAction(async () => {
      const [before, after] = this.ids;
      this._runs = await Promise.all([this.read(before), this.read(after)]);
    });
  }

  loadLogs(): Promise<void> {
    return this.runAction(async () => {
      const [before, after] = this.ids;
      this._logs = await Promise.all([
        this.readLog(before),
        this.readLog(after)
      ]);
    });
  }

  private async read(id: string): Promise<IComparedRun> {
    const [detail, defaults, tasks] = await Promise.all([
      this.client.run(id),
      this.readDefaults(id),
      this.readTasks(id)
    ]);
    const parameters = { ...defaults, ...detail.run.parameters };
    return { detail, parameters, tasks };
  }

  /** Read the defaults of the version; without them, the other parameters are still compared. */
  private async readDefaults(id: string): Promise<JsonObject> {
    try {
      return (await this.client.runVersion(id)).defaults;
    } catch {
      return {};
    }
  }

  private async readTasks(id: string): Promise<ITaskGroup[]> {
    const tasks = new TaskRunStore();
    while (!tasks.isLoaded && !this.isDisposed) {
      const { cursor } = tasks;
      tasks.addPage(await this.client.taskRuns(id, cursor ? { cursor } : {}));
    }
    return groupTasks(tasks.items);
  }

  private async readLog(id: string): Promise<string> {
    const lines = (await (await this.client.log(id)).text()).split('\n');
    return lines.slice(-LOG_LINES).join('\n');
  }

  private _runs: readonly [IComparedRun, IComparedRun] | null = null;
  private _logs: readonly [string, string] | null = null;
}

/** Return the parameters of two runs, those that differ first. */
export function compareParameters(
  before: JsonObject,
  after: JsonObject
): IComparedValue<JsonValue>[] {
  const rows = pairByName(Object.entries(before), Object.entries(after));
  const equal = rows.filter(row => !differs(row.values));
  return [...rows.filter(row => differs(row.values)), ...equal];
}

/** Return the tasks of two runs by name, in the order of the first run. */
export function compareTasks(
  before: readonly ITaskGroup[],
  after: readonly ITaskGroup[]
): IComparedValue<ITaskGroup>[] {
  const byName = (groups: readonly ITaskGroup[]) =>
    groups.map((group): [string, ITaskGroup] => [group.task, group]);
  return pairByName(byName(before), byName(after));
}

/** Return the number of failed runs of a task; 0 if it did not run. */
export function countFailures(group: ITaskGroup | undefined): number {
  return (group?.counts ?? [])
    .filter(({ type }) => hasFailed(type))
    .reduce((sum, { count }) => sum + count, 0);
}

/** Return whether two JSON values are different. */
export function differs([before, after]: Pair<JsonValue>): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

function pairByName<T>(
  before: [string, T][],
  after: [string, T][]
): IComparedValue<T>[] {
  const [first, second] = [new Map(before), new Map(after)];
  const names = new Set([...first.keys(), ...second.keys()]);
  return [...names].map(name => ({
    name,
    values: [first.get(name), second.get(name)]
  }));
}
