import {
  markdownRendererFactory,
  RenderMimeRegistry
} from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { act, fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { Artifact } from '../_api';
import { AnsiText } from '../runs/AnsiText';
import { ArtifactView, safeUrl } from '../runs/ArtifactsPanel';
import { searchPattern } from '../runs/logText';
import { LogView } from '../runs/LogView';
import { createRunPanels } from '../runs/ownRunPanels';
import { RunView } from '../runs/RunView';
import { failureOf } from './failures';
import { line, run } from './fakes';
import { runDetail, storeOf } from './taskRuns';

describe('RunView', () => {
  const props = {
    version: 3,
    tasks: storeOf(),
    workers: new Map(),
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
      onDebug: null
    },
    actions: {
      onCancel: jest.fn(),
      onRetry: jest.fn(),
      onRunAgain: jest.fn(),
      onCompare: jest.fn(),
      onInsertResult: jest.fn(),
      onShowVersions: jest.fn(),
      onOpen: jest.fn(),
      onDownload: jest.fn(),
      onCopyLines: jest.fn(),
      onCopyLink: jest.fn(),
      onReadVersion: async () => ({ number: 2, defaults: { size: 64 } }),
      onReadResult: jest.fn(),
      onReadTaskRun: jest.fn(),
      onDaskPages: null
    }
  };
  const detail = runDetail();

  it('goes round its tabs by the arrow keys', () => {
    render(<RunView {...props} detail={detail} />);
    const tabs = screen.getByRole('tablist');
    fireEvent.keyDown(tabs, { key: 'ArrowRight' });
    expect(screen.getByTestId('satflow-no-result')).toBeTruthy();
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

  it('leads to the runs that contain it', () => {
    const parent = { id: 'p1', name: 'calm-fox', flow_name: 'outer' };
    const nested = runDetail({
      run: run({ deployment_id: null, flow_name: 'inner' }),
      parents: [parent],
      origin: { kind: 'flow', name: null }
    });
    render(<RunView {...props} detail={nested} />);
    fireEvent.click(screen.getByText('outer / calm-fox'));
    expect(props.actions.onOpen).toHaveBeenCalledWith(parent);
    expect(screen.getByText('inner / brave-owl')).toBeTruthy();
    expect(screen.queryByTestId('satflow-cancel-run')).toBeNull();
    fireEvent.click(screen.getByTestId('satflow-tab-details'));
    expect(screen.getByTestId('satflow-origin').textContent).toBe(
      'run calm-fox of outer'
    );
  });

  it('has the states and job variables of the run', () => {
    const time = '2026-01-01T00:00:00Z';
    const state = { type: 'SCHEDULED' as const, name: 'Late', time };
    const known = runDetail({
      states: [{ ...state, message: 'No worker.' }],
      origin: { kind: 'schedule', name: 'nightly' },
      job_variables: { cores: 2 }
    });
    render(<RunView {...props} detail={known} />);
    fireEvent.click(screen.getByTestId('satflow-tab-details'));
    const details = screen.getByTestId('satflow-details').textContent;
    expect(details).toContain('LateNo worker.');
    expect(details).toContain('schedule nightly');
    expect(details).toContain('cores2');
  });

  it('marks the parameters that have their default', async () => {
    const parameters = { scene: 'north', size: 32 };
    const { rerender } = render(
      <RunView {...props} detail={runDetail({ run: run({ parameters }) })} />
    );
    fireEvent.click(screen.getByTestId('satflow-tab-details'));
    await screen.findByText('v2');
    const details = screen.getByTestId('satflow-details');
    expect(details.textContent).toContain('size32');
    expect(details.textContent).not.toContain('default');
    rerender(<RunView {...props} detail={runDetail()} />);
    expect(details.textContent).toContain('size64default');
    fireEvent.click(screen.getByTestId('satflow-version-changes'));
    expect(props.actions.onShowVersions).toHaveBeenCalledWith(detail.run, 2);
  });

  it('announces its state', () => {
    const { rerender } = render(<RunView {...props} detail={detail} />);
    const status = screen.getByText('Run brave-owl: Running');
    expect(status.getAttribute('role')).toBe('status');
    const failed = runDetail({ run: run({ state_name: 'Failed' }) });
    rerender(<RunView {...props} detail={failed} />);
    expect(status.textContent).toBe('Run brave-owl: Failed');
  });

  it('restricts the log to a logger, and copies what it shows', () => {
    const lines = [
      line(0, { message: '\u001b[31mred\u001b[0m' }),
      line(1, { logger: 'distributed', task_run_id: 't1' })
    ];
    const onCopyLines = jest.fn();
    const taskNames = new Map([['t1', 'tile-0']]);
    const progress = 'whole' as const;
    const log = { lines, taskNames, progress, error: null, follow: true };
    const actions = { onDownload: jest.fn(), onCopyLines };
    render(<LogView {...log} {...actions} />);
    const copy = screen.getByTestId('satflow-log-copy');
    fireEvent.click(copy);
    const [text, count] = onCopyLines.mock.calls[0] as [string, number];
    expect(count).toBe(2);
    expect(text).toMatch(/^[\d:.]+ INFO red\n[\d:.]+ INFO tile-0 {2}line 1\n$/);
    const select = screen.getByTestId('satflow-log-logger');
    fireEvent.change(select, { target: { value: 'distributed' } });
    const shown = screen.getByTestId('satflow-log-count');
    expect(shown.textContent).toBe('1 line');
  });

  it('searches by regular expression, and reports a wrong one', () => {
    const lines = [line(0), line(1, { message: 'other' }), line(12)];
    const log = { lines, taskNames: new Map(), error: null, follow: true };
    render(<LogView {...log} progress="live" onDownload={jest.fn()} />);
    const search = screen.getByTestId('satflow-log-search');
    fireEvent.change(search, { target: { value: '^line \\d{2}$' } });
    const count = screen.getByTestId('satflow-log-matches');
    expect(count.textContent).toBe('0');
    fireEvent.click(screen.getByTestId('satflow-log-regexp'));
    expect(count.textContent).toBe('1 of 1');
    fireEvent.change(search, { target: { value: '(' } });
    expect(count.textContent).toBe('Not a valid regular expression');
    expect(search.getAttribute('aria-invalid')).toBe('true');
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

  const view = {
    rendermime: new RenderMimeRegistry({
      initialFactories: [markdownRendererFactory]
    }),
    onOpen: jest.fn()
  };
  const artifact = (change: Partial<Artifact>): Artifact => ({
    id: 'a1',
    nested_run: null,
    key: 't',
    type: null,
    description: null,
    data: null,
    ...change
  });

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

  it.each(['markdown', 'table', 'image', 'progress', null])(
    'is never HTML in an artifact of type %s',
    async type => {
      const evilOne = artifact({ type, key: evil, description: evil });
      const { container } = render(
        <ArtifactView {...view} artifact={{ ...evilOne, data: evil }} />
      );
      await act(async () => undefined);
      expect(container.querySelector('script, [onerror]')).toBeNull();
      const isRendered = type === 'markdown';
      expect(container.querySelector('img') !== null).toBe(isRendered);
    }
  );

  it('is a table where it is one', () => {
    const data = JSON.stringify([{ band: 'red', mean: 3 }]);
    render(
      <ArtifactView {...view} artifact={artifact({ type: 'table', data })} />
    );
    expect(screen.getByRole('cell', { name: 'red' })).toBeTruthy();
  });

  it('is a part of a long table', () => {
    const data = Array.from({ length: 1500 }, (_, n) => ({ n }));
    render(
      <ArtifactView {...view} artifact={artifact({ type: 'table', data })} />
    );
    expect(screen.getAllByRole('cell')).toHaveLength(1000);
    expect(screen.getByText('The first 1000 of 1500 rows.')).toBeTruthy();
  });

  it('is a progress bar, with the nested run that reports it', () => {
    const nested_run = { id: 'n1', name: 'calm-fox', flow_name: 'inner' };
    const progress = artifact({ type: 'progress', data: 42.5, nested_run });
    render(<ArtifactView {...view} artifact={progress} />);
    expect(screen.getByRole('progressbar')).toHaveProperty('value', 42.5);
    expect(screen.getByText('42 %')).toBeTruthy();
    fireEvent.click(screen.getByText('inner / calm-fox'));
    expect(view.onOpen).toHaveBeenCalledWith(nested_run);
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
