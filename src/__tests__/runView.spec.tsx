import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { Artifact } from '../_api';
import { AnsiText } from '../runs/AnsiText';
import { ArtifactView, safeUrl } from '../runs/ArtifactView';
import { searchPattern } from '../runs/logText';
import { LogView } from '../runs/LogView';
import { createRunPanels } from '../runs/ownRunPanels';
import { RunView } from '../runs/RunView';
import { failureOf } from './failures';
import { line, run } from './fakes';

describe('RunView', () => {
  const props = {
    version: 3,
    lines: [line(0)],
    progress: 'live' as const,
    cluster: null,
    samples: [],
    error: null,
    streamError: null,
    follow: true,
    panels: createRunPanels(nullTranslator.load('satflow_ext')),
    failureActions: {
      matchCell: () => null,
      cellOf: () => null,
      onOpenCell: jest.fn(),
      onCopy: jest.fn(),
      onDebug: null,
      onRetry: null
    },
    actions: {
      onCancel: jest.fn(),
      onRetry: jest.fn(),
      onRunAgain: jest.fn(),
      onDownload: jest.fn(),
      onDaskPages: null
    }
  };
  const detail = {
    run: run(),
    tasks: [],
    failure: null,
    artifacts: [],
    settled: false,
    version: null
  };

  it('goes round its tabs by the arrow keys', () => {
    render(<RunView {...props} detail={detail} />);
    const tabs = screen.getByRole('tablist');
    fireEvent.keyDown(tabs, { key: 'ArrowRight' });
    expect(screen.getByTestId('satflow-no-tasks')).toBeTruthy();
    fireEvent.keyDown(tabs, { key: 'ArrowLeft' });
    fireEvent.keyDown(tabs, { key: 'ArrowLeft' });
    expect(screen.getByTestId('satflow-details')).toBeTruthy();
  });

  it('offers a retry of a run that did not complete, and another run always', () => {
    const failed = run({ state_type: 'CRASHED' });
    const view = render(
      <RunView {...props} detail={{ ...detail, run: failed }} />
    );
    fireEvent.click(screen.getByTestId('satflow-retry-run'));
    expect(props.actions.onRetry).toHaveBeenCalledWith(failed);
    const completed = run({ state_type: 'COMPLETED' });
    view.rerender(
      <RunView {...props} detail={{ ...detail, run: completed }} />
    );
    expect(screen.queryByTestId('satflow-retry-run')).toBeNull();
    expect(screen.getByTestId('satflow-run-again')).toBeTruthy();
  });

  it('puts a failure on top', () => {
    const failure = failureOf({ cause: 'ValueError: no' });
    const failed = { ...detail, run: run({ state_type: 'FAILED' }), failure };
    render(<RunView {...props} detail={failed} />);
    expect(screen.getByTestId('satflow-failure-cause').textContent).toBe(
      'ValueError: no'
    );
    expect(screen.getByTestId('satflow-traceback').textContent).toBe(
      'Traceback …'
    );
  });

  it('searches the log and counts what it finds', () => {
    const lines = [line(0), line(1, { message: 'other' }), line(2)];
    const taskNames = new Map();
    const progress = 'live' as const;
    const log = { lines, taskNames, progress, error: null, follow: true };
    render(<LogView {...log} onDownload={jest.fn()} />);
    const search = screen.getByTestId('satflow-log-search');
    fireEvent.change(search, { target: { value: 'LINE' } });
    const count = screen.getByTestId('satflow-log-matches');
    expect(count.textContent).toBe('1 of 2');
    fireEvent.keyDown(search, { key: 'Enter' });
    expect(count.textContent).toBe('2 of 2');
    fireEvent.keyDown(search, { key: 'Enter' });
    expect(count.textContent).toBe('1 of 2');
  });
});

describe('what runs write', () => {
  const evil = '<img src=x onerror="window.pwned=1"><script>pwned=1</script>';

  it('is text, with colours', () => {
    const { container } = render(
      <AnsiText
        text={`\u001b[31m${evil}\u001b[0m`}
        search={searchPattern('img')}
      />
    );
    expect(container.textContent).toBe(evil);
    expect(container.querySelector('img, script')).toBeNull();
    expect(container.querySelector('.ansi-red-fg')).toBeTruthy();
    expect(container.querySelector('mark')?.textContent).toBe('img');
  });

  it.each(['markdown', 'table', 'image', 'result', null])(
    'is never HTML in an artifact of type %s',
    type => {
      const artifact: Artifact = {
        id: 'a1',
        key: evil,
        type,
        description: evil,
        data: evil
      };
      const { container } = render(<ArtifactView artifact={artifact} />);
      expect(container.querySelector('img, script')).toBeNull();
    }
  );

  it('is a table where it is one', () => {
    const data = JSON.stringify([{ band: 'red', mean: 3 }]);
    const base = { id: 'a1', key: 't', type: 'table', description: null };
    render(<ArtifactView artifact={{ ...base, data }} />);
    expect(screen.getByRole('cell', { name: 'red' })).toBeTruthy();
  });

  it.each([
    ['https://example.org/a.png', true],
    ['data:image/png;base64,AAAA', true],
    ['data:text/html,<script>1</script>', false],
    ['javascript:alert(1)', false],
    ['/relative', false]
  ])('is an address only where that does no harm: %s', (url, safe) => {
    expect(safeUrl(url) !== null).toBe(safe);
  });
});
