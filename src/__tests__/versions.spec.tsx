import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { Registered, Version, VersionDiff, VersionList } from '../_api';
import type { IVersionsQuery } from '../client';
import { RequestFailed } from '../errors';
import { VersionsModel } from '../versions/versions';
import { VersionsView } from '../versions/VersionsView';
import { deployment } from './fakes';

const DIGEST = `sha256:${'0'.repeat(64)}`;

function version(number: number, change: Partial<Version> = {}): Version {
  return {
    number,
    manifest: DIGEST,
    live: false,
    problem: null,
    record: {
      registered_at: '2026-01-01T00:00:00Z',
      registered_by: 'ada',
      notebook: 'tiles.ipynb',
      content_size: 2048,
      content_kept: true,
      restores: null,
      summary: `summary ${number}`
    },
    ...change
  };
}

const diff = (change: Partial<VersionDiff> = {}): VersionDiff => ({
  before: 2,
  after: 3,
  code: [],
  tasks: [],
  parameters: [],
  executor: [],
  choices: [],
  environment: [],
  packages: [],
  unexplained: null,
  ...change
});

function served(newest = 3) {
  const asked: [number, number][] = [];
  const rolledBack: number[] = [];
  const client = {
    versions: async (
      id: string,
      { before = newest + 1 }: IVersionsQuery = {}
    ): Promise<VersionList> => ({
      deployment_id: id,
      versions: [version(before - 1), version(before - 2)],
      next: before > 3 ? before - 2 : null,
      lost: null
    }),
    diffVersions: async (_: string, before: number, after: number) => {
      asked.push([before, after]);
      return diff({ before, after });
    },
    rollBack: async (_: string, request: { version: number }) => {
      rolledBack.push(request.version);
      return { deployment: deployment({ version: 4 }) } as Registered;
    }
  };
  const deployments = { items: [], refresh: jest.fn(async () => undefined) };
  const model = new VersionsModel('d1', client, deployments);
  return { model, client, deployments, asked, rolledBack };
}

describe('VersionsModel', () => {
  it('compares the newest two, and reads older ones when asked', async () => {
    const { model, asked } = served(4);
    await model.load();
    expect(asked).toEqual([[3, 4]]);
    expect(model.hasMore).toBe(true);
    await model.loadMore();
    expect(model.items?.map(one => one.number)).toEqual([4, 3, 2, 1]);
    expect(model.hasMore).toBe(false);
  });

  it('shows the pair that was requested last, whichever arrives first', async () => {
    const { model, client } = served();
    const answers: (() => void)[] = [];
    client.diffVersions = (_, before, after) =>
      new Promise(resolve =>
        answers.push(() => resolve(diff({ before, after })))
      );
    const first = model.compareVersions({ before: 1, after: 2 });
    const second = model.compareVersions({ before: 1, after: 3 });
    answers[1]();
    answers[0]();
    await Promise.all([first, second]);
    expect(model.diff?.after).toBe(3);
  });

  it('compares a requested version with the one before it', async () => {
    const { model, asked } = served(4);
    model.showVersion(2);
    await model.load();
    model.showVersion(3);
    expect(asked).toEqual([
      [1, 2],
      [2, 3]
    ]);
  });

  it('rolls back, and reads everything again', async () => {
    const { model, deployments, rolledBack } = served();
    await model.load();
    const done = await model.rollBack(2);
    expect(done?.deployment.version).toBe(4);
    expect(rolledBack).toEqual([2]);
    expect(deployments.refresh).toHaveBeenCalled();
  });

  it('keeps its contents when a request is refused', async () => {
    const { model, client } = served();
    await model.load();
    client.rollBack = async () => {
      const message = 'The content is gone.';
      throw new RequestFailed({ error: 'X', message, fix: null, field: null });
    };
    expect(await model.rollBack(1)).toBeNull();
    expect(model.error?.message).toBe('The content is gone.');
    expect(model.items).toHaveLength(2);
  });
});

describe('VersionsView', () => {
  const actions = {
    onCompare: jest.fn(),
    onMore: jest.fn(),
    onRollBack: jest.fn()
  };
  const props = {
    name: 'tiles',
    versions: [version(3, { live: true }), version(2), version(1)],
    hasMore: true,
    missingReason: null,
    pair: { before: 2, after: 3 },
    diff: diff(),
    error: null,
    isBusy: false,
    actions
  };

  it('offers to roll back to all versions but the live one', () => {
    render(<VersionsView {...props} />);
    expect(screen.getAllByTestId('satflow-roll-back')).toHaveLength(2);
    fireEvent.click(
      screen.getByRole('button', { name: 'Roll back to version 1' })
    );
    expect(actions.onRollBack).toHaveBeenCalledWith(props.versions[2]);
  });

  it('offers no rollback to deleted content, and shows the reason', () => {
    const missingReason = version(2);
    const record = missingReason.record && {
      ...missingReason.record,
      content_kept: false
    };
    const versions = [props.versions[0], { ...missingReason, record }];
    render(<VersionsView {...props} versions={versions} />);
    const button = screen.getByTestId('satflow-roll-back') as HTMLButtonElement;
    expect(button.disabled).toBe(true);
    expect(screen.getByText('content was deleted')).toBeTruthy();
  });

  it('compares any two', () => {
    render(<VersionsView {...props} />);
    fireEvent.change(screen.getByLabelText('Compare'), {
      target: { value: '1' }
    });
    expect(actions.onCompare).toHaveBeenCalledWith({ before: 1, after: 3 });
  });

  it('shows code line by line, and the rest in words', () => {
    const text = '@@ -1 +1 @@\n-<b>old</b>\n+new\n same\n';
    const shown = diff({
      code: [{ name: 'cut', kind: 'function', change: 'changed', diff: text }],
      executor: [{ name: 'n_workers', before: '2', after: null }],
      unexplained: 'Captured data differs.'
    });
    render(<VersionsView {...props} diff={shown} />);
    expect(screen.getByText('+new').className).toBe('jp-mod-added');
    expect(screen.getByText('-<b>old</b>').className).toBe('jp-mod-removed');
    expect(screen.getByText('not set')).toBeTruthy();
    expect(screen.getByText('Captured data differs.')).toBeTruthy();
  });

  it('shows if there are no differences', () => {
    render(<VersionsView {...props} />);
    expect(screen.getByText('No differences.')).toBeTruthy();
  });
});
