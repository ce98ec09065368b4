import React, { useState } from 'react';

import type { ErrorBody, RunDetail } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Extension } from '../components/Extension';
import { Tabs } from '../components/Tabs';
import { useTrans } from '../components/translation';
import { FailureCard, type IFailureCardProps } from './FailureCard';
import { RunHeader } from './RunHeader';
import type { IRunPanel, IShownRun, ITaskFilter } from './runPanels';

export interface IRunViewProps extends Omit<
  IShownRun,
  'detail' | 'logFilter' | 'onShowLog'
> {
  detail: RunDetail | null;
  /** The deployment's version, if it still exists. */
  version: number | null;
  error: ErrorBody | null;
  panels: readonly IRunPanel[];
  failureActions: Omit<IFailureCardProps, 'failure'>;
}

/** A run with all details. */
export function RunView(props: IRunViewProps): JSX.Element {
  const trans = useTrans();
  const { detail, error, version, actions } = props;
  if (!detail) {
    return error ? (
      <ErrorNote error={error} />
    ) : (
      <p role="status">{trans.__('Loading…')}</p>
    );
  }
  const { run, failure } = detail;
  return (
    <div className="jp-Satflow-run" data-testid="satflow-run" data-run={run.id}>
      {error && <ErrorNote error={error} />}
      <RunHeader
        run={run}
        parents={detail.parents}
        tasks={props.tasks}
        version={version}
        actions={actions}
      />
      {failure && <FailureCard failure={failure} {...props.failureActions} />}
      <RunTabs {...props} detail={detail} />
    </div>
  );
}

function RunTabs(props: IRunViewProps & { detail: RunDetail }): JSX.Element {
  const trans = useTrans();
  const { panels } = props;
  const [selected, setSelected] = useState('log');
  const [logFilter, setLogFilter] = useState<ITaskFilter | null>(null);
  const onShowLog = (filter: ITaskFilter | null) => {
    setLogFilter(filter);
    setSelected('log');
  };
  const shownRun: IShownRun = { ...props, logFilter, onShowLog };
  const shown = panels.find(one => one.id === selected) ?? panels[0];
  const tabs = panels.map(({ id, label }) => ({
    id,
    label: typeof label === 'string' ? label : label(shownRun)
  }));
  return (
    <Tabs
      label={trans._p('noun', 'Run')}
      tabs={tabs}
      selected={shown.id}
      onSelect={setSelected}
    >
      <Extension key={shown.id} render={() => shown.render(shownRun)} />
    </Tabs>
  );
}
