import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Deployment, LiveFlow } from '../_api';
import { quoteShellWord } from '../components/shellWords';
import { useTrans } from '../components/translation';
import { type Drift, compareWithDeployment } from './drift';

export interface IFlowRowProps {
  flow: LiveFlow;
  /** The deployments of the flow that this notebook registered, the most recently registered first. */
  ownDeployments: Deployment[];
  onRegister: (flow: LiveFlow) => void;
  onRun: (flow: LiveFlow, own: Deployment[]) => void;
}

/** A flow of the kernel, its difference from the registered version, and its actions. */
export function FlowRow(props: IFlowRowProps): JSX.Element {
  const trans = useTrans();
  const { flow, ownDeployments, onRegister, onRun } = props;
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
          draggable
          onDragStart={event =>
            event.dataTransfer.setData(
              'text/plain',
              formatMagic(flow, ownDeployments)
            )
          }
        >
          {flow.name}
        </span>
        <DriftBadge flow={flow} ownDeployments={ownDeployments} />
        {flow.cell !== null && (
          <span className="jp-Satflow-cell" title={trans.__('Defined in cell')}>
            [{flow.cell}]
          </span>
        )}
      </div>
      <code className="jp-Satflow-signature" title={formatSignature(flow)}>
        ({formatSignature(flow)})
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
          onClick={() => onRun(flow, ownDeployments)}
          aria-label={trans.__('Run %1', flow.name)}
          title={describeRun(ownDeployments, trans)}
          data-testid="satflow-run-flow"
        >
          {trans.__('Run')}
        </Button>
      </div>
    </li>
  );
}

/** Return the line that a flow's name is when it is dragged into a cell: run its deployment, or register it. */
export function formatMagic(flow: LiveFlow, own: Deployment[]): string {
  const [last] = own;
  return last
    ? `%run_flow ${quoteShellWord(`${last.flow_name}/${last.name}`)} --follow`
    : `%register_flow ${flow.variable}`;
}

function describeRun(own: Deployment[], trans: TranslationBundle): string {
  const [last] = own;
  if (!last) {
    return trans.__('Register the flow, then run it');
  }
  return own.length > 1
    ? trans.__('Choose a deployment to run')
    : trans.__('Run %1, version %2', last.name, last.version);
}

type IDriftBadgeProps = Pick<IFlowRowProps, 'flow' | 'ownDeployments'>;

function DriftBadge({ flow, ownDeployments }: IDriftBadgeProps): JSX.Element {
  const trans = useTrans();
  const found = compareWithDeployment(flow, ownDeployments);
  return (
    <span
      className={`jp-Satflow-badge jp-mod-${found.kind}`}
      title={
        found.kind === 'new'
          ? trans.__('This notebook has not registered the flow')
          : trans.__('Compared with the deployment %1', found.deployment.name)
      }
      data-testid="satflow-drift"
    >
      {describeDrift(flow, found, trans)}
    </span>
  );
}

/** Describe how a flow differs from its registration, with the deployment's name if it is not the flow's name. */
function describeDrift(
  flow: LiveFlow,
  found: Drift,
  trans: TranslationBundle
): string {
  if (found.kind === 'new') {
    return trans.__('new');
  }
  const { name, version } = found.deployment;
  const words =
    found.kind === 'registered'
      ? trans.__('registered v%1', version)
      : trans.__('changed since v%1', version);
  return name === flow.name ? words : trans.__('%1: %2', name, words);
}

function formatSignature(flow: LiveFlow): string {
  return flow.parameters
    .map(({ name, annotation, default: preset }) => {
      const type = annotation ? `: ${annotation}` : '';
      return `${name}${type}${preset === null ? '' : ` = ${preset}`}`;
    })
    .join(', ');
}
