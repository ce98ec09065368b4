import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { type ILogViewProps, LogView } from '../runs/LogView';
import { makeRunLink, parseRunLink, RUN_LINK } from '../runs/runLinks';
import { line } from './fakes';

describe('a link to a line of a log', () => {
  const lines = Array.from({ length: 5 }, (_, index) => line(index));
  const note = () =>
    screen.queryByTestId('satflow-linked-line-note')?.textContent;

  function view(change: Partial<ILogViewProps>): JSX.Element {
    return (
      <LogView
        lines={lines}
        taskNames={new Map()}
        progress="whole"
        error={null}
        follow
        onDownload={jest.fn()}
        {...change}
      />
    );
  }

  it('waits until the line is loaded, and does not follow new ones', () => {
    const linkedLine = { id: lines[3].id };
    const early = { lines: lines.slice(0, 2), progress: 'loading' as const };
    const { rerender } = render(view({ linkedLine, ...early }));
    expect(note()).toContain('not loaded yet');
    rerender(view({ linkedLine }));
    expect(note()).toBeUndefined();
    const follow = screen.getByTestId('satflow-log-follow');
    expect(follow.getAttribute('aria-pressed')).toBe('false');
  });

  it('reports a line that the log does not have', () => {
    render(view({ linkedLine: { id: 'gone' } }));
    expect(note()).toContain('not in the log of this run');
  });

  it('shows the line whatever the filters were', () => {
    const { rerender } = render(view({}));
    const level = screen.getByTestId('satflow-log-level');
    fireEvent.change(level, { target: { value: '40' } });
    const count = screen.getByTestId('satflow-log-count');
    expect(count.textContent).toBe('0 lines');
    rerender(view({ linkedLine: { id: lines[0].id } }));
    expect(count.textContent).toBe('5 lines');
  });

  it('is an address that leads to the run', () => {
    const link = makeRunLink('http://127.0.0.1:8888/user/ada/', 'r 1', 'a&b');
    const { pathname, search } = new URL(link);
    expect(pathname).toBe('/user/ada/lab');
    expect(RUN_LINK.test(pathname + search)).toBe(true);
    expect(parseRunLink(`${search}&reset=1`)).toEqual({
      link: { runId: 'r 1', lineId: 'a&b' },
      rest: '?reset=1'
    });
    expect(parseRunLink('?reset').link).toBeNull();
  });
});
