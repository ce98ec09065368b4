import { Signal } from '@lumino/signaling';

import { ActiveClusters } from '../clusters/activeClusters';
import { ActiveRuns } from '../runs/activeRuns';
import { RunsModel } from '../runs/runs';
import type { IRunsQuery } from '../client';
import { cluster, FakeStream, run } from './fakes';

const rest = () => new Promise(resolve => setTimeout(resolve, 0));

/** A stack whose readiness a test sets. */
class FakeStack {
  readonly changed: Signal<this, void> = new Signal(this);
  isReady = false;

  become(isReady: boolean): void {
    this.isReady = isReady;
    this.changed.emit();
  }
}

function makeActiveRuns() {
  const queries: IRunsQuery[] = [];
  const stream = new FakeStream();
  const client = {
    runs: async (query: IRunsQuery = {}) => {
      queries.push(query);
      return { runs: [run()] };
    },
    startRun: async () => run(),
    cancelRun: async () => run(),
    retryRun: async () => run()
  };
  const stack = new FakeStack();
  const all = new RunsModel(client, stream, { active: true });
  return { active: new ActiveRuns(all, stack), queries, stack, stream };
}

describe('ActiveRuns', () => {
  it('sends no request before the stack is ready', async () => {
    const { active, queries, stack, stream } = makeActiveRuns();
    stack.become(false);
    await rest();
    expect(queries).toEqual([]);
    expect(stream.topics.size).toBe(0);
    expect(active.items).toEqual([]);
  });

  it('reads only runs that have not ended while the stack is ready', async () => {
    const { active, queries, stack, stream } = makeActiveRuns();
    let changes = 0;
    active.changed.connect(() => (changes += 1));
    stack.become(true);
    stack.become(true);
    await rest();
    expect(queries).toEqual([expect.objectContaining({ active: true })]);
    expect(active.items).toHaveLength(1);
    const before = changes;
    stack.become(false);
    expect(active.items).toEqual([]);
    expect(changes).toBe(before + 1);
    expect(stream.topics.size).toBe(0);
  });

  it('stops following when it is disposed', () => {
    const { active, stack, stream } = makeActiveRuns();
    stack.become(true);
    active.dispose();
    expect(stream.topics.size).toBe(0);
    stack.become(false);
    stack.become(true);
    expect(stream.topics.size).toBe(0);
  });
});

describe('ActiveClusters', () => {
  function makeClusters() {
    const { active, stack } = makeActiveRuns();
    const client = { clusters: jest.fn() };
    client.clusters.mockResolvedValue({
      clusters: [cluster(), cluster({ run_id: 'r2', state: 'closed' })]
    });
    const clusters = new ActiveClusters(client, active, stack);
    return { clusters, client, stack };
  }

  it('are read on request while the stack is ready', async () => {
    const { clusters, client, stack } = makeClusters();
    await clusters.refresh();
    expect(client.clusters).not.toHaveBeenCalled();
    stack.isReady = true;
    await clusters.refresh();
    expect(clusters.items.map(one => one.state)).toEqual(['running']);
  });

  it('are read while runs have not ended', async () => {
    const { client, stack } = makeClusters();
    stack.become(true);
    await rest();
    await rest();
    expect(client.clusters).toHaveBeenCalled();
    const count = client.clusters.mock.calls.length;
    stack.become(false);
    await rest();
    expect(client.clusters.mock.calls.length).toBe(count);
  });

  it('are none after a failure', async () => {
    const { clusters, client, stack } = makeClusters();
    stack.isReady = true;
    await clusters.refresh();
    client.clusters.mockRejectedValue(new Error('no answer'));
    await clusters.refresh();
    expect(clusters.items).toEqual([]);
  });
});
