import { fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';

import type { Failure, FailureException, FailureFrame } from '../_api';
import type { CellMatch } from '../runs/failedCells';
import { FailureCard } from '../runs/FailureCard';
import { groupFrames } from '../runs/frameGroups';
import { failureOf } from './failures';

const own = (change: Partial<FailureFrame> = {}): FailureFrame => ({
  file: '/tmp/ipykernel_1/2.py',
  line: 2,
  function: 'divide',
  code: 'return 1 / 0',
  package: null,
  cell: '2',
  ...change
});

const library = (name: string): FailureFrame =>
  own({
    file: `/usr/lib/${name}/core.py`,
    function: 'call',
    package: name,
    cell: null
  });

const error = (change: Partial<FailureException> = {}): FailureException => ({
  type: 'ValueError',
  message: 'no',
  relation: null,
  frames: [own({ function: 'tiles', line: 9 }), library('prefect'), own()],
  ...change
});

const CELL = { hash: '2', number: 4, text: 'def divide():\n    return 1 / 0' };

function renderCard(
  change: Partial<Failure> = {},
  match: CellMatch | null = null
): { onCopy: jest.Mock; onOpenCell: jest.Mock; onDebug: jest.Mock } {
  const actions = {
    onCopy: jest.fn(),
    onOpenCell: jest.fn(),
    onDebug: jest.fn()
  };
  const failure = failureOf({
    exceptions: [error()],
    version: 3,
    cells: [CELL],
    notebook: '/home/me/tiles.ipynb',
    ...change
  });
  render(
    <FailureCard
      failure={failure}
      matchCell={() => match}
      cellOf={({ cell }) => (cell === '2' ? CELL : null)}
      {...actions}
    />
  );
  return actions;
}

const found: CellMatch = {
  kind: 'found',
  place: { cell: 1, line: 3, number: 4 }
};

describe('FailureCard', () => {
  it('shows the exception, the task with its inputs, and the innermost frame first', () => {
    const inputs = [
      { name: 'number', value: '0', tasks: [], not_kept: null },
      {
        name: 'table',
        value: null,
        tasks: ['load-1'],
        not_kept: 'it cannot be pickled'
      }
    ];
    const task = { id: 't', name: 'divide-2', kept: true, inputs };
    const { onDebug } = renderCard({ task });
    fireEvent.click(screen.getByTestId('satflow-debug-run'));
    expect(onDebug).toHaveBeenCalledTimes(1);
    const cause = screen.getByTestId('satflow-failure-cause');
    expect(cause.textContent).toBe('ValueError: no');
    const shown = screen.getByTestId('satflow-failed-task');
    expect(shown.textContent).toMatch(
      /divide-2.*number = 0.*table from load-1 \(not kept: it cannot be pickled\)/
    );
    const frames = screen.getAllByTestId('satflow-frame');
    expect(frames.map(one => one.textContent)).toEqual([
      expect.stringContaining('divide'),
      expect.stringContaining('tiles')
    ]);
    const folded = screen.getByTestId('satflow-library-frames');
    expect(folded.textContent).toBe('1 frame of prefect');
  });

  it('opens the cell of a frame, by the execution count or the position', () => {
    const { onOpenCell } = renderCard({}, found);
    const [link] = screen.getAllByTestId('satflow-open-cell');
    expect(link.textContent).toBe('cell [4], line 4');
    fireEvent.click(link);
    expect(onOpenCell).toHaveBeenCalledWith(own());
  });

  it('names the position of a cell without an execution count', () => {
    renderCard({}, { ...found, place: { cell: 1, line: 3, number: null } });
    const [link] = screen.getAllByTestId('satflow-open-cell');
    expect(link.textContent).toBe('cell 2, line 4');
  });

  it('numbers the lines as the notebook does', () => {
    renderCard({}, found);
    const marked = screen
      .getByTestId('satflow-code')
      .querySelector('[aria-current]');
    expect(marked?.textContent).toBe('4    return 1 / 0');
  });

  it.each([
    ['changed', { kind: 'changed', place: null }, 'has changed', false],
    ['changed here', { ...found, kind: 'changed' }, 'has changed', true],
    ['gone', { kind: 'gone' }, 'tiles.ipynb was deleted', false]
  ] as [string, CellMatch, string, boolean][])(
    'shows the code that ran if the cell is %s',
    (_, match, words, hasLink) => {
      renderCard({}, match);
      const note = screen.getByTestId('satflow-cell-outdated');
      expect(note.textContent).toContain(words);
      expect(note.textContent).toContain('version 3');
      expect(screen.queryByTestId('satflow-open-cell')).toBeNull();
      const definition = screen.queryByTestId('satflow-open-definition');
      expect(definition !== null).toBe(hasLink);
      const code = screen.getByTestId('satflow-code');
      expect(code.querySelectorAll('code').length).toBe(2);
      expect(code.querySelector('[aria-current]')?.textContent).toContain(
        'return 1 / 0'
      );
    }
  );

  it('shows the exceptions that led to the failure, the last one first', () => {
    const chain = [
      error({ type: 'KeyError', message: '1', relation: 'cause' }),
      error({ type: 'OSError', message: '2', relation: 'context' }),
      error(),
      error({ type: 'TypeError', message: '3', relation: 'member' })
    ];
    renderCard({ exceptions: chain });
    const titles = [...document.querySelectorAll('summary')].map(
      one => one.textContent
    );
    expect(titles.filter(one => one?.includes('Error'))).toEqual([
      'Contains TypeError: 3',
      'Raised while handling OSError: 2',
      'Caused by KeyError: 1'
    ]);
  });

  it('copies the whole traceback, and folds', () => {
    const { onCopy } = renderCard();
    fireEvent.click(screen.getByTestId('satflow-copy-traceback'));
    expect(onCopy).toHaveBeenCalledWith('Traceback …');
    const card = screen.getByTestId('satflow-failure');
    const title = within(card).getByRole('button', { expanded: true });
    fireEvent.click(title);
    expect(title.getAttribute('aria-expanded')).toBe('false');
    expect(within(card).getByTestId('satflow-traceback')).not.toBeNull();
    expect(card.querySelector('[hidden]')).not.toBeNull();
  });

  it('shows code and messages as text, with invisible characters named', () => {
    const evil = '<img src=x>\u202e';
    renderCard({
      exceptions: [error({ message: evil, frames: [own({ code: evil })] })]
    });
    expect(document.querySelector('img')).toBeNull();
    expect(screen.getByTestId('satflow-failure-cause').textContent).toContain(
      '⟨U+202E⟩'
    );
  });
});

describe('groupFrames', () => {
  it('names each library once, and not too many', () => {
    const names = ['', 'anyio', 'prefect', 'python', 'dask', 'prefect'];
    const [group] = groupFrames(names.map(library));
    expect(group).toMatchObject({
      kind: 'library',
      packages: ['prefect', 'dask', 'Python', '…']
    });
  });
});
