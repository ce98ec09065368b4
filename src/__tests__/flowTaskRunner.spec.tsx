import { nullTranslator } from '@jupyterlab/translation';
import { render, screen } from '@testing-library/react';
import React from 'react';

import { FLOW_EXECUTOR } from '../components/preferences';
import { createDraft } from '../register/draft';
import { ExecutorField } from '../register/ExecutorField';
import { FindingList } from '../register/FindingList';
import { catalogue, deployment, flow } from './fakes';

const PRESET = { executor: 'processes', timezone: 'UTC' };
const FROM_FLOW = {
  name: 'threads',
  options: { max_workers: 1 },
  from_flow: true
};

function show(taskRunner: string | null): void {
  const info = {
    name: FLOW_EXECUTOR,
    title: "Flow's task runner",
    purpose: 'its task runner, or threads',
    starts: 'at once',
    options_schema: {}
  };
  render(
    <ExecutorField
      catalogue={{ ...catalogue(), executors: [info] }}
      executor={FLOW_EXECUTOR}
      cards={[]}
      translator={nullTranslator}
      isSending={false}
      options={{}}
      taskRunner={taskRunner}
      workerUsage={null}
      error={null}
      onExecutor={jest.fn()}
      onOptions={jest.fn()}
      clusterClass={{ clusterClass: null, error: null, isBusy: false }}
      onLoadClass={jest.fn()}
    />
  );
}

describe('the task runner of a flow', () => {
  it('stays the choice where the executor came from it', () => {
    const draft = createDraft(
      flow(),
      deployment({ executor: FROM_FLOW }),
      PRESET
    );
    expect([draft.executor, draft.options]).toEqual([FLOW_EXECUTOR, {}]);
  });

  it('is the preset where nothing is registered', () => {
    expect(createDraft(flow(), null, PRESET).executor).toBe('processes');
  });

  it.each([
    ['DaskTaskRunner()', 'DaskTaskRunner()'],
    [null, 'its task runner, or threads']
  ])('is named on the card: %s', (taskRunner, words) => {
    show(taskRunner);
    expect(screen.getByText(words)).toBeTruthy();
  });

  it('is reported where an executor replaces it', () => {
    const finding = {
      kind: 'task runner',
      level: 'warning',
      where: 'tiles',
      message: 'it is replaced',
      fix: 'Leave the executor out.'
    } as const;
    render(<FindingList findings={[finding]} />);
    expect(screen.getByTestId('satflow-finding').textContent).toBe(
      'Warning tiles it is replaced. Leave the executor out.'
    );
  });
});
