import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { ResultPreview, RunDetail } from '../_api';
import { RequestFailed } from '../errors';
import { ResultPanel } from '../runs/ResultPanel';
import { formatResultCell } from '../runs/runs';
import { run } from './fakes';
import { resultPreview, runDetail } from './taskRuns';

const COMPLETED = runDetail({
  run: run({ state_type: 'COMPLETED', end: '2026-01-01T00:01:00Z' })
});

describe('the result of a run', () => {
  const onRead = jest.fn<Promise<ResultPreview>, []>();
  const onInsert = jest.fn();
  const actions = { onReadResult: onRead, onInsertResult: onInsert };

  const show = async (
    change: Partial<ResultPreview>,
    detail: RunDetail = COMPLETED
  ) => {
    onRead.mockResolvedValue(resultPreview(change));
    render(<ResultPanel detail={detail} actions={actions} />);
    return screen.findByTestId('satflow-result');
  };

  beforeEach(() => jest.resetAllMocks());

  it('is a table, with the size of the whole', async () => {
    const table = {
      columns: ['band', 'mean'],
      rows: [['red', '0.31']],
      row_count: 500,
      column_count: 2
    };
    const shown = await show({ kind: 'table', size: 2048, table });
    expect(shown.textContent).toContain('500 rows, 2 columns');
    expect(screen.getByRole('table').textContent).toBe(
      'The first 1 rows and 2 columnsbandmeanred0.31'
    );
  });

  it('is text, which is never HTML', async () => {
    const shown = await show({ kind: 'text', text: '<img src=x>' });
    expect(shown.querySelector('pre')?.textContent).toBe('<img src=x>');
  });

  it('is an image', async () => {
    await show({ kind: 'image', format: 'figure', image: 'iVBORw0KGgo=' });
    const image = screen.getByRole('img');
    expect(image.getAttribute('src')).toBe(
      'data:image/png;base64,iVBORw0KGgo='
    );
  });

  it.each([
    ['none', 'The flow returned None.'],
    ['object', 'A Python object'],
    ['large', 'too large to be shown']
  ] as const)('of the kind %s has a description', async (kind, text) => {
    expect((await show({ kind })).textContent).toContain(text);
  });

  it('is read in a cell of the notebook', async () => {
    await show({});
    fireEvent.click(screen.getByTestId('satflow-insert-result'));
    expect(onInsert).toHaveBeenCalledWith(COMPLETED.run);
    expect(formatResultCell(COMPLETED.run)).toContain(
      'satflow_ext.get_run("r1").result()'
    );
  });

  it('has the reason why it is missing', async () => {
    const message = 'The result of run brave-owl was not stored.';
    onRead.mockRejectedValue(
      new RequestFailed({
        error: 'ResultMissing',
        message,
        fix: null,
        field: null
      })
    );
    render(<ResultPanel detail={COMPLETED} actions={actions} />);
    expect(await screen.findByText(message)).toBeTruthy();
  });

  it.each([
    ['has not ended', runDetail(), 'when the run has completed'],
    ['failed', runDetail({ run: run({ state_type: 'FAILED' }) }), 'did not'],
    [
      'is nested',
      { ...COMPLETED, parents: [{ id: 'r0', name: 'a', flow_name: 'b' }] },
      'contains this one'
    ]
  ])('is not read if the run %s', (_, detail, text) => {
    render(<ResultPanel detail={detail} actions={actions} />);
    const empty = screen.getByTestId('satflow-no-result');
    expect(empty.textContent).toContain(text);
    expect(onRead).not.toHaveBeenCalled();
  });

  it('is read again after the run was executed again', async () => {
    onRead.mockResolvedValue(resultPreview());
    const props = { actions };
    const view = render(<ResultPanel {...props} detail={COMPLETED} />);
    await screen.findByTestId('satflow-result');
    const again = { ...COMPLETED.run, end: '2026-01-01T00:02:00Z' };
    view.rerender(
      <ResultPanel {...props} detail={{ ...COMPLETED, run: again }} />
    );
    await screen.findByTestId('satflow-result');
    expect(onRead).toHaveBeenCalledTimes(2);
  });
});
