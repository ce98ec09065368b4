import type { TranslationBundle } from '@jupyterlab/translation';
import {
  Button,
  refreshIcon,
  stopIcon,
  tableRowsIcon
} from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { Run, RunGroup, RunPoint } from '../_api';
import { IconButton } from '../components/IconButton';
import { useTrans } from '../components/translation';
import { formatDuration, formatValue } from '../format';
import { isActive, POINTS_LIMIT } from './groups';
import { StateMark } from './StateMark';

/** Actions on a run group. */
export interface IGroupActions {
  onRetryGroup: (group: RunGroup) => void;
  onCancelGroup: (group: RunGroup) => void;
  /** Insert a cell into the current notebook that reads the results. */
  onInsertResults: (group: RunGroup) => void;
  onOpenPoints: (group: RunGroup) => void;
  onClosePoints: (group: RunGroup) => void;
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
}

export interface IGroupRowProps {
  group: RunGroup;
  /** The points; undefined until they were read. */
  points: RunPoint[] | undefined;
  actions: IGroupActions;
}

const FAILED_STATES = ['FAILED', 'CRASHED', 'REFUSED'] as const;

/** A run group with its progress, which opens to its runs. */
export function GroupRow(props: IGroupRowProps): JSX.Element {
  const trans = useTrans();
  const { group, actions } = props;
  const [open, setOpen] = useState(false);
  useEffect(() => () => actions.onClosePoints(group), []);
  const toggle = () => {
    (open ? actions.onClosePoints : actions.onOpenPoints)(group);
    setOpen(!open);
  };
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-group-row"
      data-group={group.name}
    >
      <div className="jp-Satflow-rowHead">
        <GroupState group={group} />
        <Button
          minimal
          className="jp-Satflow-link jp-Satflow-name"
          aria-expanded={open}
          title={trans.__('Show the runs of %1', group.name)}
          onClick={toggle}
          data-testid="satflow-open-group"
        >
          {group.name}
        </Button>
        <span className="jp-Satflow-rowEnd">
          <GroupButtons {...props} />
        </span>
      </div>
      <GroupProgress group={group} />
      {group.problem && (
        <p className="jp-Satflow-note jp-mod-warning">{group.problem}</p>
      )}
      {open && <PointList {...props} />}
    </li>
  );
}

function GroupButtons({ group, actions }: IGroupRowProps): JSX.Element {
  const trans = useTrans();
  return (
    <>
      {(group.counts.COMPLETED ?? 0) > 0 && (
        <IconButton
          icon={tableRowsIcon}
          label={trans.__(
            'Insert a cell with the results of %1 into the notebook',
            group.name
          )}
          onClick={() => actions.onInsertResults(group)}
          testId="satflow-group-results"
        />
      )}
      {countFailed(group) > 0 && (
        <IconButton
          icon={refreshIcon}
          label={trans.__('Run failed again: %1', group.name)}
          onClick={() => actions.onRetryGroup(group)}
          testId="satflow-retry-group"
        />
      )}
      {isActive(group) && (
        <IconButton
          icon={stopIcon}
          label={trans.__('Cancel all runs of %1…', group.name)}
          disabled={group.state === 'cancelling'}
          onClick={() => actions.onCancelGroup(group)}
          testId="satflow-cancel-group"
        />
      )}
    </>
  );
}

function GroupState({ group }: { group: RunGroup }): JSX.Element {
  const marks: Record<RunGroup['state'], [Run['state_type'], string]> = {
    running: ['RUNNING', 'Running'],
    cancelling: ['CANCELLING', 'Cancelling'],
    stopped: ['PAUSED', 'Stopped'],
    completed: ['COMPLETED', 'Completed'],
    failed: ['FAILED', 'Failed'],
    cancelled: ['CANCELLED', 'Cancelled']
  };
  const [type, name] = marks[group.state];
  return <StateMark type={type} name={name} />;
}

function GroupProgress({ group }: { group: RunGroup }): JSX.Element {
  const trans = useTrans();
  const words = describeCounts(group, trans);
  const part = (count: number) =>
    `${(100 * count) / Math.max(group.total, 1)}%`;
  return (
    <>
      <div
        className="jp-Satflow-progress"
        role="progressbar"
        aria-label={trans.__('Progress of %1', group.name)}
        aria-valuemin={0}
        aria-valuemax={group.total}
        aria-valuenow={group.counts.COMPLETED ?? 0}
        aria-valuetext={words.join(', ')}
      >
        <span
          className="jp-mod-completed"
          style={{ width: part(group.counts.COMPLETED ?? 0) }}
        />
        <span
          className="jp-mod-failed"
          style={{ width: part(countFailed(group)) }}
        />
        <span
          className="jp-mod-running"
          style={{ width: part(group.counts.RUNNING ?? 0) }}
        />
      </div>
      <div className="jp-Satflow-facts" data-testid="satflow-group-counts">
        <span>{group.deployment_name}</span>
        {words.map(word => (
          <span key={word}>{word}</span>
        ))}
      </div>
    </>
  );
}

function countFailed({ counts }: RunGroup): number {
  return FAILED_STATES.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
}

/** Return the failed points, which the user looks for in a long list, and then the others. */
function sortPoints(points: RunPoint[]): RunPoint[] {
  const hasFailed = ({ state }: RunPoint) =>
    FAILED_STATES.some(each => each === state);
  return [
    ...points.filter(hasFailed),
    ...points.filter(point => !hasFailed(point))
  ];
}

/** Return the numbers of points by their state, such as "28 of 31 completed" and "3 failed". */
function describeCounts(group: RunGroup, trans: TranslationBundle): string[] {
  const { counts, total } = group;
  const waiting =
    (counts.WAITING ?? 0) + (counts.SCHEDULED ?? 0) + (counts.PENDING ?? 0);
  const others: [number, (count: number) => string][] = [
    [counts.RUNNING ?? 0, count => trans.__('%1 running', count)],
    [waiting, count => trans.__('%1 waiting', count)],
    [countFailed(group), count => trans.__('%1 failed', count)],
    [counts.PAUSED ?? 0, count => trans.__('%1 paused', count)],
    [counts.CANCELLING ?? 0, count => trans.__('%1 cancelling', count)],
    [counts.CANCELLED ?? 0, count => trans.__('%1 cancelled', count)],
    [counts.DELETED ?? 0, count => trans.__('%1 deleted', count)]
  ];
  return [
    trans.__('%1 of %2 completed', counts.COMPLETED ?? 0, total),
    ...others
      .filter(([count]) => count > 0)
      .map(([count, describe]) => describe(count))
  ];
}

function PointList({ group, points, actions }: IGroupRowProps): JSX.Element {
  const trans = useTrans();
  if (points === undefined) {
    return <p className="jp-Satflow-note">{trans.__('Loading the runs…')}</p>;
  }
  return (
    <>
      <ul
        className="jp-Satflow-list jp-Satflow-points"
        aria-label={trans.__('Runs of %1', group.name)}
        data-testid="satflow-group-points"
      >
        {sortPoints(points).map(point => (
          <PointRow
            key={point.position}
            point={point}
            varied={group.varied}
            onOpen={actions.onOpen}
          />
        ))}
      </ul>
      {group.total > POINTS_LIMIT && (
        <p className="jp-Satflow-note">
          {trans.__(
            'The first %1 runs are shown. In a cell, satflow_ext.get_run_group("%2").results(partial=True) returns all.',
            POINTS_LIMIT,
            group.name
          )}
        </p>
      )}
    </>
  );
}

interface IPointRowProps {
  point: RunPoint;
  varied: string[];
  onOpen: IGroupActions['onOpen'];
}

function PointRow({ point, varied, onOpen }: IPointRowProps): JSX.Element {
  const trans = useTrans();
  const words = varied
    .filter(name => name in point.parameters)
    .map(name => formatValue(point.parameters[name] ?? null))
    .join(', ');
  const { run_id } = point;
  return (
    <li data-testid="satflow-point" data-state={point.state}>
      <div className="jp-Satflow-rowHead">
        <PointState point={point} />
        {run_id ? (
          <Button
            minimal
            className="jp-Satflow-link"
            title={trans.__('Open the run of %1', words)}
            onClick={() => onOpen({ id: run_id, name: words })}
            data-testid="satflow-open-point"
          >
            {words}
          </Button>
        ) : (
          <span>{words}</span>
        )}
        {point.duration > 0 && (
          <span className="jp-Satflow-hint jp-Satflow-rowEnd">
            {formatDuration(point.duration)}
          </span>
        )}
      </div>
      {point.message && (
        <p className="jp-Satflow-lastLine" title={point.message}>
          {point.message}
        </p>
      )}
    </li>
  );
}

function PointState({ point }: { point: RunPoint }): JSX.Element {
  switch (point.state) {
    case 'WAITING':
      return <StateMark type="SCHEDULED" name="Waiting" />;
    case 'REFUSED':
      return <StateMark type="FAILED" name="Refused" />;
    case 'DELETED':
      return <StateMark type="CANCELLED" name="Deleted" />;
    default:
      return <StateMark type={point.state} name={nameOfType(point.state)} />;
  }
}

/** Return Prefect's usual name for a state of that type. */
function nameOfType(state: Run['state_type']): string {
  return state.charAt(0) + state.slice(1).toLowerCase();
}
