import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, JsonValue, Run } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { formatDateTime, formatDuration, formatValue } from '../format';
import {
  compareParameters,
  compareTasks,
  countFailures,
  differs,
  type IComparedRun,
  type Pair
} from './runComparison';
import { StateMark } from './StateMark';
import type { ITaskGroup } from './tasks';

/** Actions on compared runs. */
export interface IRunComparisonActions {
  onOpen: (run: Run) => void;
  onShowVersions: (run: Run) => void;
  onShowLogs: () => void;
}

export interface IRunComparisonViewProps {
  runs: readonly [IComparedRun, IComparedRun] | null;
  logs: readonly [string, string] | null;
  error: ErrorBody | null;
  isBusy: boolean;
  actions: IRunComparisonActions;
}

/** Two runs side by side: facts, parameters, tasks and logs. */
export function RunComparisonView(props: IRunComparisonViewProps): JSX.Element {
  const trans = useTrans();
  const { runs, error, isBusy, actions, logs } = props;
  return (
    <div
      className="jp-Satflow-comparison"
      data-testid="satflow-run-comparison"
      aria-busy={isBusy}
    >
      {error && <ErrorNote error={error} />}
      {runs && (
        <>
          <ComparisonTable runs={runs} actions={actions} />
          {logs ? (
            <LogColumns logs={logs} names={runs.map(runName)} />
          ) : (
            <Button
              className="jp-mod-styled jp-Satflow-button"
              disabled={isBusy}
              onClick={actions.onShowLogs}
              data-testid="satflow-compare-logs"
            >
              {trans.__('Show the logs side by side')}
            </Button>
          )}
        </>
      )}
    </div>
  );
}

const runName = ({ detail }: IComparedRun): string => detail.run.name;

function ComparisonTable(props: {
  runs: readonly [IComparedRun, IComparedRun];
  actions: IRunComparisonActions;
}): JSX.Element {
  const trans = useTrans();
  const { runs, actions } = props;
  const [before, after] = [runs[0].detail.run, runs[1].detail.run];
  const parameters = compareParameters(runs[0].parameters, runs[1].parameters);
  const tasks = compareTasks(runs[0].tasks, runs[1].tasks);
  return (
    <table aria-label={trans.__('Compared runs')}>
      <thead>
        <tr>
          <th scope="col">
            <span className="jp-Satflow-srOnly">{trans.__('Property')}</span>
          </th>
          {[before, after].map(run => (
            <th scope="col" key={run.id}>
              <Button
                minimal
                className="jp-Satflow-link"
                onClick={() => actions.onOpen(run)}
              >
                {nameInvisible(run.name)}
              </Button>
            </th>
          ))}
        </tr>
      </thead>
      <Facts before={before} after={after} actions={actions} />
      {parameters.length > 0 && (
        <tbody>
          <Heading text={trans.__('Parameters')} />
          {parameters.map(({ name, values }) => (
            <Row
              key={name}
              name={name}
              isDifferent={differs(values)}
              cells={values.map(value => (
                <ParameterValue key={name} value={value} />
              ))}
            />
          ))}
        </tbody>
      )}
      {tasks.length > 0 && (
        <tbody>
          <Heading text={trans.__('Tasks')} />
          {tasks.map(({ name, values }) => (
            <TaskRow key={name} name={name} values={values} />
          ))}
        </tbody>
      )}
    </table>
  );
}

function Facts(props: {
  before: Run;
  after: Run;
  actions: IRunComparisonActions;
}): JSX.Element {
  const trans = useTrans();
  const { before, after, actions } = props;
  const runs = [before, after];
  const differ = (value: (run: Run) => unknown) =>
    value(before) !== value(after);
  return (
    <tbody>
      <Row
        name={trans.__('State')}
        isDifferent={differ(run => run.state_name)}
        cells={runs.map(run => (
          <StateMark key={run.id} type={run.state_type} name={run.state_name} />
        ))}
      />
      <Row
        name={trans.__('Message')}
        isDifferent={differ(run => run.state_message)}
        cells={runs.map(run => nameInvisible(run.state_message ?? '–'))}
      />
      <Row
        name={trans.__('Version')}
        isDifferent={differ(run => run.version)}
        cells={runs.map(run => (
          <RunVersionCell key={run.id} run={run} actions={actions} />
        ))}
      />
      <Row
        name={trans.__('Start')}
        isDifferent={false}
        cells={runs.map(run => (run.start ? formatDateTime(run.start) : '–'))}
      />
      <Row
        name={trans.__('Duration')}
        isDifferent={false}
        cells={runs.map(run => formatDuration(run.duration))}
      />
    </tbody>
  );
}

/** The version of a run; click it for the differences between versions. */
function RunVersionCell(props: {
  run: Run;
  actions: IRunComparisonActions;
}): JSX.Element {
  const trans = useTrans();
  const { run, actions } = props;
  if (run.version === null) {
    return <>–</>;
  }
  return (
    <Button
      minimal
      className="jp-Satflow-link"
      title={trans.__('Show the versions of %1', run.deployment_name ?? '')}
      onClick={() => actions.onShowVersions(run)}
    >
      {trans.__('v%1', run.version)}
    </Button>
  );
}

function ParameterValue(props: { value: JsonValue | undefined }): JSX.Element {
  const trans = useTrans();
  return props.value === undefined ? (
    <em>{trans.__('not set')}</em>
  ) : (
    <code>{nameInvisible(formatValue(props.value))}</code>
  );
}

function TaskRow(props: {
  name: string;
  values: Pair<ITaskGroup>;
}): JSX.Element {
  const { name, values } = props;
  const [before, after] = values.map(group => countFailures(group));
  const isDifferent =
    values[0]?.runs.length !== values[1]?.runs.length || before !== after;
  return (
    <Row
      name={name}
      isDifferent={isDifferent}
      cells={values.map((group, side) => (
        <TaskCell key={side} group={group} />
      ))}
    />
  );
}

function TaskCell({ group }: { group: ITaskGroup | undefined }): JSX.Element {
  const trans = useTrans();
  if (!group) {
    return <em>{trans.__('did not run')}</em>;
  }
  const failed = countFailures(group);
  const unfinished = group.runs.length - group.finished;
  const words = [
    trans._n('%1 run', '%1 runs', group.runs.length),
    ...(failed > 0 ? [trans.__('%1 failed', failed)] : []),
    ...(unfinished > 0 ? [trans.__('%1 active', unfinished)] : []),
    formatDuration(group.duration)
  ];
  return <>{words.join(', ')}</>;
}

function Heading({ text }: { text: string }): JSX.Element {
  return (
    <tr className="jp-Satflow-comparisonHeading">
      <th scope="rowgroup" colSpan={3}>
        {text}
      </th>
    </tr>
  );
}

function Row(props: {
  name: string;
  isDifferent: boolean;
  cells: React.ReactNode[];
}): JSX.Element {
  const trans = useTrans();
  const { name, isDifferent, cells } = props;
  return (
    <tr
      className={isDifferent ? 'jp-mod-different' : undefined}
      data-row={name}
    >
      <th scope="row">
        {nameInvisible(name)}
        {isDifferent && (
          <span className="jp-Satflow-badge">{trans.__('differs')}</span>
        )}
      </th>
      {cells.map((cell, side) => (
        <td key={side}>{cell}</td>
      ))}
    </tr>
  );
}

function LogColumns(props: {
  logs: readonly [string, string];
  names: string[];
}): JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-Satflow-comparedLogs">
      {props.logs.map((text, side) => (
        <pre
          key={side}
          tabIndex={0}
          aria-label={trans.__('Log of %1', props.names[side])}
          data-testid="satflow-compared-log"
        >
          {nameInvisible(text)}
        </pre>
      ))}
    </div>
  );
}
