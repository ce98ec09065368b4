import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { RecentRun, Run } from '../_api';
import { useTrans } from '../components/translation';
import { formatDateTime, stateName } from '../format';
import { stateIcon } from './StateMark';

export interface IRecentRunMarksProps {
  /** The name of the deployment. */
  name: string;
  /** The runs, newest first. */
  runs: readonly RecentRun[];
  onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
}

/** The states of the last runs of a deployment as a row of icons, the newest at the end. Each opens its run. */
export function RecentRunMarks(
  props: IRecentRunMarksProps
): JSX.Element | null {
  const trans = useTrans();
  const { name, runs, onOpen } = props;
  if (runs.length === 0) {
    return null;
  }
  return (
    <span
      className="jp-Satflow-recentRuns"
      role="group"
      aria-label={trans.__('Last runs of %1', name)}
      data-testid="satflow-recent-runs"
    >
      {[...runs].reverse().map(run => {
        const icon = stateIcon(run.state_type);
        const time = run.start ? formatDateTime(run.start) : '';
        const label = `${run.name}: ${stateName(run.state_name, trans)}, ${time}`;
        return (
          <Button
            key={run.id}
            minimal
            className={`jp-Satflow-state jp-mod-${run.state_type.toLowerCase()}`}
            title={label}
            aria-label={label}
            onClick={() => onOpen(run)}
            data-state={run.state_type}
          >
            <icon.react tag="span" width="10px" aria-hidden="true" />
          </Button>
        );
      })}
    </span>
  );
}
