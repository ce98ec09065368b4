import React from 'react';

import type { Deployment, FlowList, LiveFlow } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { useTrans } from '../components/translation';
import { formatTimeOfDay } from '../format';
import { ownDeployments } from './drift';
import { FlowRow } from './FlowRow';
import type { FlowsState } from './flows';

/** Actions of the Flows section. */
export interface IFlowsActions {
  onNewNotebook: () => void;
  onInsertExample: () => void;
  onInsertCell: (source: string) => void;
  onSelectKernel: () => void;
  onOpenNotebook: (path: string) => void;
  onRunAllCells: () => void;
  onRefresh: () => void;
  onRegister: (flow: LiveFlow) => void;
  onRun: (flow: LiveFlow, own: Deployment[]) => void;
}

export interface IFlowsSectionProps {
  state: FlowsState;
  deployments: Deployment[];
  actions: IFlowsActions;
}

/** The flows of the active notebook, or the reason why there are none. */
export function FlowsSection(props: IFlowsSectionProps): JSX.Element {
  const { state } = props;
  if (state.kind === 'listed' && state.list.flows.length > 0) {
    return <FlowRows {...props} list={state.list} />;
  }
  if (state.kind === 'busy' && state.list && state.list.flows.length > 0) {
    return (
      <>
        <BusyNote list={state.list} />
        <FlowRows {...props} list={state.list} />
      </>
    );
  }
  return <NoFlows {...props} />;
}

function FlowRows(props: IFlowsSectionProps & { list: FlowList }): JSX.Element {
  const trans = useTrans();
  const { list, deployments, actions } = props;
  return (
    <ul
      className="jp-Satflow-list"
      aria-label={trans.__('Flows of this notebook')}
      data-testid="satflow-flows"
    >
      {list.flows.map(flow => (
        <FlowRow
          key={flow.variable}
          flow={flow}
          ownDeployments={ownDeployments(
            flow.name,
            list.notebook ?? null,
            deployments
          )}
          onRegister={actions.onRegister}
          onRun={actions.onRun}
        />
      ))}
    </ul>
  );
}

function BusyNote(props: { list: FlowList }): JSX.Element {
  const trans = useTrans();
  return (
    <p
      className="jp-Satflow-note"
      role="status"
      data-testid="satflow-kernel-busy"
    >
      {trans.__(
        'Listed at %1; the list is refreshed when the cell has finished.',
        formatTimeOfDay(props.list.at)
      )}
    </p>
  );
}

function NoFlows(props: IFlowsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { state, actions } = props;
  switch (state.kind) {
    case 'no-notebook':
      return (
        <EmptyState
          testId="satflow-no-notebook"
          message={trans.__('Open a notebook to see the flows in it.')}
          action={{
            label: trans.__('New notebook'),
            run: actions.onNewNotebook
          }}
        />
      );
    case 'closed':
      return (
        <EmptyState
          testId="satflow-notebook-closed"
          message={trans.__(
            '%1 is closed. Its flows are listed while it is open.',
            state.path
          )}
          action={{
            label: trans.__('Open it again'),
            run: () => actions.onOpenNotebook(state.path)
          }}
        />
      );
    case 'no-kernel':
      return (
        <EmptyState
          testId="satflow-no-kernel"
          message={trans.__('This notebook has no kernel.')}
          action={{
            label: trans.__('Select kernel'),
            run: actions.onSelectKernel
          }}
        />
      );
    case 'not-python':
      return (
        <EmptyState
          testId="satflow-not-python"
          message={trans.__(
            'Flows are written in Python; this kernel uses %1.',
            state.language
          )}
          action={{
            label: trans.__('Change kernel'),
            run: actions.onSelectKernel
          }}
        />
      );
    default:
      return <LoadingFlows {...props} />;
  }
}

function LoadingFlows(props: IFlowsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { state, actions } = props;
  switch (state.kind) {
    case 'busy':
      return (
        <EmptyState
          testId="satflow-kernel-busy"
          message={trans.__(
            'The kernel is running a cell. The flows are listed when the cell has finished.'
          )}
        />
      );
    case 'starting':
      return (
        <EmptyState
          testId="satflow-kernel-starting"
          message={trans.__('Waiting for the kernel…')}
          action={{ label: trans.__('Refresh'), run: actions.onRefresh }}
        />
      );
    case 'listed':
      return (
        <EmptyState
          testId="satflow-no-flows"
          message={trans.__('No flows in this notebook yet.')}
          action={{
            label: trans.__('Insert an example'),
            run: actions.onInsertExample
          }}
        />
      );
    default:
      return <CellsNotRun {...props} />;
  }
}

/** Messages about flows that the notebook defines but its kernel does not have. */
function CellsNotRun(props: IFlowsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { state, actions } = props;
  switch (state.kind) {
    case 'restarted':
      return (
        <EmptyState
          testId="satflow-kernel-restarted"
          message={trans.__(
            'The kernel was restarted and lost its flows. Run their cells again.'
          )}
          action={{
            label: trans.__('Run all cells'),
            run: actions.onRunAllCells
          }}
        />
      );
    case 'not-run':
      return (
        <EmptyState
          testId="satflow-cells-not-run"
          message={trans.__(
            'The kernel has not run a cell that defines a flow. Run the cell to list the flow.'
          )}
          action={{
            label: trans.__('Run all cells'),
            run: actions.onRunAllCells
          }}
        />
      );
    default:
      return <FlowsError {...props} />;
  }
}

function FlowsError(props: IFlowsSectionProps): JSX.Element | null {
  const trans = useTrans();
  const { state, actions } = props;
  switch (state.kind) {
    case 'lacks-package':
      return (
        <EmptyState
          testId="satflow-lacks-package"
          message={state.error.message}
          code={quotedLines(state.error.fix)}
          action={{
            label: trans.__('Insert cell'),
            run: () => actions.onInsertCell(quotedLines(state.error.fix))
          }}
        />
      );
    case 'server-missing':
      return (
        <EmptyState
          testId="satflow-server-missing"
          message={state.error.message}
          code={state.error.fix ?? undefined}
          action={{ label: trans.__('Try again'), run: actions.onRefresh }}
        />
      );
    case 'failed':
      return (
        <EmptyState
          testId="satflow-flows-failed"
          message={[state.error.message, state.error.fix]
            .filter(Boolean)
            .join(' ')}
          action={{ label: trans.__('Try again'), run: actions.onRefresh }}
        />
      );
    default:
      return null;
  }
}

/** Return the lines of a cell that a message quotes with backticks. */
function quotedLines(text: string | null): string {
  return Array.from(
    (text ?? '').matchAll(/`([^`]+)`/g),
    found => found[1]
  ).join('\n');
}
