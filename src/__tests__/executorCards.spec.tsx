import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { act, fireEvent, screen } from '@testing-library/react';
import React from 'react';

import type { StackStatus } from '../_api';
import { executorCards } from '../plugins/extensionPoints';
import type { ExecutorCards, IExecutorCard } from '../register/executorCards';
import { RegisterTab } from '../register/registerTab';
import { StackModel } from '../stack/stack';
import { form } from './registering';
import { show, wrong } from './renderedForm';

const CARD: IExecutorCard = {
  id: 'my-ext:workers',
  executor: 'dask-local',
  rank: 100,
  replaces: true,
  render: ({ value, onChange, schema, disabled }) => (
    <button
      type="button"
      disabled={disabled}
      title={Object.keys(Object(schema.properties)).join()}
      onClick={() => onChange({ ...value, n_workers: 8 })}
    >
      Eight workers
    </button>
  )
};

const tabs: RegisterTab[] = [];

/** Attach the tab of a form; return its model. */
async function open(cards: ExecutorCards) {
  const { model } = form();
  model.changeDraft({ executor: 'dask-local' });
  const status = { kind: 'local', state: 'ready' } as StackStatus;
  const stack = async () => status;
  const tab = new RegisterTab(model, {
    flows: { enable: jest.fn() } as never,
    stack: new StackModel({ stack, startStack: stack }),
    actions: { onOpen: jest.fn() },
    cards,
    translator: nullTranslator,
    trans: nullTranslator.load('satflow_ext')
  });
  Widget.attach(tab, document.body);
  await settle();
  tabs.push(tab);
  return model;
}

const settle = () => act(() => new Promise(resolve => setTimeout(resolve, 50)));

describe('a card of another extension', () => {
  afterEach(() => act(() => tabs.splice(0).forEach(tab => tab.dispose())));

  it('replaces the fields of its executor in a form that is open', async () => {
    const cards = executorCards.activate({} as never) as ExecutorCards;
    const model = await open(cards);
    expect(screen.getByLabelText('Workers')).toBeTruthy();
    const added = cards.add(CARD);
    await settle();
    expect(screen.queryByLabelText('Workers')).toBeNull();
    const button = screen.getByText<HTMLButtonElement>('Eight workers');
    expect(button.title).toBe('n_workers,worker_size');
    fireEvent.click(button);
    expect(model.draft.options['dask-local']).toMatchObject({ n_workers: 8 });
    added.dispose();
    await settle();
    expect(screen.getByLabelText('Workers')).toHaveProperty('value', '8');
  });

  it('is below the fields if it does not replace them', () => {
    const cards = [{ ...CARD, replaces: false }];
    show({ executor: 'dask-local' }, null, null, { cards });
    const field = screen.getByLabelText('Workers');
    const button = screen.getByText<HTMLButtonElement>('Eight workers');
    expect(field.compareDocumentPosition(button)).toBe(
      Node.DOCUMENT_POSITION_FOLLOWING
    );
  });

  it('is shown for its own executor only', () => {
    show({ executor: 'threads' }, null, null, { cards: [CARD] });
    expect(screen.queryByText('Eight workers')).toBeNull();
  });

  it('is disabled while the form is sent', () => {
    const cards = [CARD];
    show({ executor: 'dask-local' }, null, null, { cards, isSending: true });
    const button = screen.getByText<HTMLButtonElement>('Eight workers');
    expect(button).toHaveProperty('disabled', true);
  });

  it('has the error of an option above it', () => {
    const error = wrong({ field: 'executor.options.n_workers' });
    show({ executor: 'dask-local' }, error, null, { cards: [CARD] });
    expect(screen.getByRole('alert').textContent).toContain('It is wrong.');
    expect(document.activeElement).toBe(screen.getByRole('alert'));
  });
});
