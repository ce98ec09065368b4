import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, LiveFlow } from '../_api';
import type { Drift } from '../models/drift';

export interface IFlowRowProps {
  flow: LiveFlow;
  drift: Drift;
  onRegister: (flow: LiveFlow) => void;
  onRun: (flow: LiveFlow, deployment: Deployment | null) => void;
  trans: TranslationBundle;
}

/** A flow of the kernel, how it compares with what was registered, and what can be done with it. */
export function FlowRow(props: IFlowRowProps): JSX.Element {
  const { flow, drift, onRegister, onRun, trans } = props;
  const deployment = drift.kind === 'new' ? null : drift.deployment;
  return (
    <li
      className="jp-Satflow-row"
      data-testid="satflow-flow"
      data-flow={flow.name}
    >
      <div className="jp-Satflow-rowHead">
        <span
          className="jp-Satflow-name"
          title={[flow.name, flow.doc].filter(Boolean).join('\n\n')}
        >
          {flow.name}
        </span>
        <DriftBadge drift={drift} trans={trans} />
        {flow.cell !== null && (
          <span className="jp-Satflow-cell" title={trans.__('Defined in cell')}>
            [{flow.cell}]
          </span>
        )}
      </div>
      <code className="jp-Satflow-signature" title={signature(flow)}>
        ({signature(flow)})
      </code>
      <div className="jp-Satflow-actions">
        <Button
          className="jp-mod-styled jp-Satflow-button jp-mod-accept"
          onClick={() => onRegister(flow)}
          aria-label={trans.__('Register %1', flow.name)}
          data-testid="satflow-register"
        >
          {trans.__('Register…')}
        </Button>
        <Button
          className="jp-mod-styled jp-Satflow-button"
          onClick={() => onRun(flow, deployment)}
          aria-label={trans.__('Run %1', flow.name)}
          title={
            deployment
              ? trans.__('Run version %1', deployment.version)
              : trans.__('Register it, then run')
          }
          data-testid="satflow-run-flow"
        >
          {trans.__('Run')}
        </Button>
      </div>
    </li>
  );
}

interface IDriftBadgeProps {
  drift: Drift;
  trans: TranslationBundle;
}

function DriftBadge({ drift, trans }: IDriftBadgeProps): JSX.Element {
  return (
    <span
      className={`jp-Satflow-badge jp-mod-${drift.kind}`}
      data-testid="satflow-drift"
    >
      {driftWords(drift, trans)}
    </span>
  );
}

/** The drift in words. */
export function driftWords(drift: Drift, trans: TranslationBundle): string {
  switch (drift.kind) {
    case 'new':
      return trans.__('new');
    case 'registered':
      return trans.__('registered v%1', drift.deployment.version);
    case 'changed':
      return trans.__('changed since v%1', drift.deployment.version);
    case 'unknown':
      return trans.__('v%1, not comparable', drift.deployment.version);
  }
}

function signature(flow: LiveFlow): string {
  return flow.parameters
    .map(({ name, annotation, default: preset }) => {
      const type = annotation ? `: ${annotation}` : '';
      return `${name}${type}${preset === null ? '' : ` = ${preset}`}`;
    })
    .join(', ');
}
