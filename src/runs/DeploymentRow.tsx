import type { TranslationBundle } from '@jupyterlab/translation';
import {
  deleteIcon,
  fastForwardIcon,
  historyIcon,
  runIcon,
  undoIcon
} from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, RecentRun, Run } from '../_api';
import { ChangeList } from '../components/ChangeList';
import { IconButton } from '../components/IconButton';
import { asObject } from '../components/parameterSchema';
import { useTrans } from '../components/translation';
import { ZonedTime } from '../components/ZonedTime';
import { pauseIcon } from '../icons';
import { RecentRunMarks } from './RecentRunMarks';

/** Actions on a deployment. */
export interface IDeploymentActions {
  onRunDeployment: (deployment: Deployment) => void;
  onRunMany: (deployment: Deployment) => void;
  onPause: (deployment: Deployment, paused: boolean) => void;
  onVersions: (deployment: Deployment) => void;
  onDelete: (deployment: Deployment) => void;
}

export interface IDeploymentRowProps {
  deployment: Deployment;
  /** The last runs, newest first. */
  recentRuns: readonly RecentRun[];
  actions: IDeploymentActions & {
    onOpen: (run: Pick<Run, 'id' | 'name'>) => void;
    /** Show only the deployments with a tag. */
    onTag: (tag: string) => void;
  };
}

/** A deployment with its version, executor and next run. */
export function DeploymentRow(props: IDeploymentRowProps): JSX.Element {
  const trans = useTrans();
  const { deployment } = props;
  const { name, version, executor, manifest_problem } = deployment;
  return (
    <li
      className="jp-Satflow-row jp-mod-compact"
      data-testid="satflow-deployment"
      data-deployment={name}
    >
      <div className="jp-Satflow-rowHead">
        <span className="jp-Satflow-name" title={name}>
          {name}
        </span>
        <span className="jp-Satflow-badge">{trans.__('v%1', version)}</span>
        <span className="jp-Satflow-rowEnd">
          <DeploymentButtons {...props} />
        </span>
      </div>
      <div className="jp-Satflow-facts">
        {executor && <span>{executor.name}</span>}
        <span data-testid="satflow-next-run">
          <NextRun {...props} />
        </span>
        {deployment.needed && (
          <span data-testid="satflow-needed">{deployment.needed}</span>
        )}
        {deployment.tags.map(tag => (
          <button
            key={tag}
            type="button"
            className="jp-Satflow-badge"
            title={trans.__('Show only the deployments with the tag %1', tag)}
            onClick={() => props.actions.onTag(tag)}
            data-testid="satflow-tag"
          >
            {tag}
          </button>
        ))}
        <RecentRunMarks
          name={name}
          runs={props.recentRuns}
          onOpen={props.actions.onOpen}
        />
      </div>
      {deployment.drift.length > 0 && (
        <details className="jp-Satflow-note jp-mod-warning">
          <summary>
            {trans.__('Changed in Prefect (%1)', deployment.drift.length)}
          </summary>
          <ChangeList changes={deployment.drift} />
        </details>
      )}
      {manifest_problem && (
        <p className="jp-Satflow-note jp-mod-warning">{manifest_problem}</p>
      )}
    </li>
  );
}

function DeploymentButtons(props: IDeploymentRowProps): JSX.Element {
  const trans = useTrans();
  const { deployment, actions } = props;
  const { name } = deployment;
  return (
    <>
      <IconButton
        icon={runIcon}
        label={trans.__('Run %1 now…', name)}
        onClick={() => actions.onRunDeployment(deployment)}
        testId="satflow-run-deployment"
      />
      {hasParameters(deployment) && (
        <IconButton
          icon={fastForwardIcon}
          label={trans.__('Run many: %1…', name)}
          onClick={() => actions.onRunMany(deployment)}
          testId="satflow-run-many"
        />
      )}
      {deployment.schedules.length > 0 && <PauseButton {...props} />}
      <IconButton
        icon={historyIcon}
        label={trans.__('Versions of %1', name)}
        onClick={() => actions.onVersions(deployment)}
        testId="satflow-show-versions"
      />
      <IconButton
        icon={deleteIcon}
        label={trans.__('Delete deployment %1…', name)}
        onClick={() => actions.onDelete(deployment)}
        testId="satflow-delete-deployment"
      />
    </>
  );
}

function hasParameters({ parameter_schema }: Deployment): boolean {
  return Object.keys(asObject(parameter_schema.properties ?? {})).length > 0;
}

function PauseButton(props: IDeploymentRowProps): JSX.Element {
  const trans = useTrans();
  const { deployment, actions } = props;
  return deployment.paused ? (
    <IconButton
      icon={undoIcon}
      label={trans.__('Resume the schedule of %1', deployment.name)}
      onClick={() => actions.onPause(deployment, false)}
      testId="satflow-resume"
    />
  ) : (
    <IconButton
      icon={pauseIcon}
      label={trans.__('Pause the schedule of %1', deployment.name)}
      onClick={() => actions.onPause(deployment, true)}
      testId="satflow-pause"
    />
  );
}

function NextRun({ deployment }: IDeploymentRowProps): JSX.Element {
  const trans = useTrans();
  const { schedules, paused, next_runs } = deployment;
  const next = next_runs[0];
  if (schedules.length === 0 || paused || !next) {
    return <>{describeSchedule(deployment, trans)}</>;
  }
  return (
    <>
      {trans.__('next run')}{' '}
      <ZonedTime time={next} timezone={schedules[0].timezone} />
    </>
  );
}

function describeSchedule(
  { schedules, paused }: Deployment,
  trans: TranslationBundle
): string {
  if (schedules.length === 0) {
    return trans.__('no schedule');
  }
  return paused ? trans.__('schedule paused') : trans.__('scheduled');
}
