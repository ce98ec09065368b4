import type { Signal } from '@lumino/signaling';

import type { Run, RunRequest } from '../_api';
import type { IRunsQuery } from '../client';
import { appendSamples, MAX_SAMPLES } from '../clusters/sampleHistory';
import { coalesceCalls } from '../components/coalesceCalls';
import { RequestFailed } from '../errors';
import { RunModel } from '../runs/run';
import { RunsModel } from '../runs/runs';
import { failureOf } from './failures';
import { cluster, FakeStream, line, logs, run } from './fakes';
import { clusterMoment } from './sharedClusters';
import { runDetail, taskRunClient } from './taskRuns';

const rest = () => new Promise(resolve => setTimeout(resolve, 0));

/** The runs part of a server that records its requests. */
function server(runs: Run[] = [run()]) {
  const queries: (IRunsQuery | undefined)[] = [];
  const started: RunRequest[] = [];
  const client = {
    runs: async (query?: IRunsQuery) => {
      queries.push(query);
      return { runs };
    },
    startRun: async (request: RunRequest) => {
      started.push(request);
      return run({ id: 'r2' });
    },
    cancelRun: async () => run({ state_type: 'CANCELLING' }),
    retryRun: async () => run({ state_type: 'SCHEDULED' })
  };
  return { queries, started, client };
}

describe('coalesced', () => {
  it('makes of many calls during a run one after it', async () => {
    let count = 0;
    const once = coalesceCalls(async () => {
      count += 1;
      await rest();
    });
    const first = once();
    void once();
    void once();
    await first;
    expect(count).toBe(2);
  });
});

describe('RunsModel', () => {
  it('reads on watch and again on a hint', async () => {
    const { queries, client } = server();
    const frames = new FakeStream();
    const model = new RunsModel(client, frames);
    model.watch();
    await rest();
    frames.send('runs', { type: 'runs.v1' });
    await rest();
    expect(queries).toHaveLength(2);
    expect(model.items.map(one => one.id)).toEqual(['r1']);
  });

  it('hears nothing after unwatch', () => {
    const frames = new FakeStream();
    const model = new RunsModel(server().client, frames);
    model.watch();
    model.unwatch();
    expect(frames.topics.size).toBe(0);
  });

  it('requests the runs of the filter', async () => {
    const { queries, client } = server();
    const model = new RunsModel(client, new FakeStream());
    model.setFilter({ state_type: 'FAILED' });
    await rest();
    expect(queries).toEqual([{ state_type: 'FAILED', limit: 100, offset: 0 }]);
  });

  it('reads older runs page by page, each run once', async () => {
    const all = Array.from({ length: 250 }, (_, at) => run({ id: `r${at}` }));
    const { client, queries } = server();
    client.runs = async ({ limit = 0, offset = 0 } = {}) => {
      queries.push({ offset });
      // A run that started between two requests moved the others by one.
      const start = Math.max(0, offset - 1);
      return { runs: all.slice(start, start + limit) };
    };
    const model = new RunsModel(client, new FakeStream());
    await model.refresh();
    expect(model.items).toHaveLength(100);
    expect(model.hasMore).toBe(true);
    await model.loadMore();
    await model.loadMore();
    expect(new Set(model.items).size).toBe(model.items.length);
    expect(model.items).toHaveLength(250);
    expect(model.hasMore).toBe(false);
    queries.length = 0;
    model.setFilter({ name: 'owl' });
    await rest();
    expect(queries).toEqual([{ offset: 0 }]);
  });

  it('keeps the list when reading fails', async () => {
    const { client } = server();
    const model = new RunsModel(client, new FakeStream());
    await model.refresh();
    client.runs = async () => {
      const message = 'Prefect is away.';
      const error = 'PrefectUnreachable';
      throw new RequestFailed({ error, message, fix: null, field: null });
    };
    await model.refresh();
    expect(model.items).toHaveLength(1);
    expect(model.error?.error).toBe('PrefectUnreachable');
  });

  it('gives every start a separate key and emits it', async () => {
    const { started, client } = server();
    const model = new RunsModel(client, new FakeStream());
    const told: string[] = [];
    model.runStarted.connect((_, one) => told.push(one.id), model);
    await model.startRun('d1', { count: 2 });
    await model.startRun('d1', {});
    const keys = new Set(started.map(one => one.idempotency_key));
    expect(keys.size).toBe(2);
    expect(told).toEqual(['r2', 'r2']);
  });
});

describe('RunModel', () => {
  const list = () => new RunsModel(server().client, new FakeStream());

  it('collects log lines and cluster samples', () => {
    const frames = new FakeStream();
    const client = {
      ...taskRunClient(),
      run: async () => runDetail(),
      log: async () => new Blob(),
      cancelRun: async () => run()
    };
    const model = new RunModel('r1', client, frames, list());
    model.watch();
    frames.send('logs', logs([line(0), line(1)]));
    frames.send('cluster', {
      type: 'cluster.v1',
      run_id: 'r1',
      status: cluster(),
      moments: [clusterMoment(4), clusterMoment(5)]
    });
    frames.send('cluster', {
      type: 'cluster.v1',
      run_id: 'r1',
      status: null,
      moments: []
    });
    expect(model.log.lines).toHaveLength(2);
    expect(model.cluster).toMatchObject({ observed: 1, state: 'closed' });
    expect(model.samples).toMatchObject([
      { time: Date.UTC(2026, 0, 1, 0, 0, 4) },
      { time: Date.UTC(2026, 0, 1, 0, 0, 5), processing: 4, memory: 1024 ** 3 }
    ]);
    model.dispose();
    expect(frames.topics.size).toBe(0);
  });

  it('follows a run again that is retried, here or elsewhere', async () => {
    const frames = new FakeStream();
    let current = run({ state_type: 'FAILED', state_name: 'Failed' });
    const client = {
      ...taskRunClient(),
      run: async () => runDetail({ run: current, settled: true }),
      log: async () => new Blob(),
      cancelRun: async () => current
    };
    const runs = new RunsModel(
      { ...server().client, runs: async () => ({ runs: [current] }) },
      new FakeStream()
    );
    const model = new RunModel('r1', client, frames, runs);
    model.watch();
    await model.refresh();
    frames.send('logs', { ...logs([line(0)]), ended: true });
    expect(model.progress).toBe('whole');
    const subscribe = jest.spyOn(frames, 'subscribe');
    current = run({ state_type: 'SCHEDULED', state_name: 'AwaitingRetry' });
    await runs.refresh();
    expect(subscribe.mock.calls.map(([topic]) => topic)).toEqual([
      'logs',
      'cluster'
    ]);
    frames.send('logs', logs([line(0), line(1)]));
    expect(model.progress).toBe('live');
    expect(model.log.lines).toHaveLength(2);
    model.dispose();
    expect(frames.topics.size).toBe(0);
  });

  it('reads the failure again when the log is whole', async () => {
    const frames = new FakeStream();
    const failed = run({ state_type: 'FAILED' });
    let traceback: string | null = null;
    const client = {
      ...taskRunClient(),
      run: async () =>
        runDetail({ run: failed, failure: failureOf({ traceback }) }),
      log: async () => new Blob(),
      cancelRun: async () => failed
    };
    const model = new RunModel('r1', client, frames, list());
    await model.refresh();
    expect(model.detail?.failure?.traceback).toBeNull();
    model.watch();
    await model.refresh();
    traceback = 'Traceback (most recent call last):';
    frames.send('logs', { ...logs([line(0)]), ended: true });
    await new Promise(resolve => setTimeout(resolve));
    expect(model.detail?.failure?.traceback).toBe(traceback);
    model.dispose();
  });
});

describe('RunModel and the list', () => {
  const ended = run({ state_type: 'COMPLETED', state_name: 'Completed' });

  /** A run whose request stays pending until `answer` is called. */
  function slow() {
    const answers: ((one: Run) => void)[] = [];
    const client = {
      ...taskRunClient(),
      run: async () =>
        runDetail({
          run: await new Promise<Run>(resolve => answers.push(resolve))
        }),
      log: async () => new Blob(),
      cancelRun: async () => run()
    };
    const answer = async (one: Run) => {
      answers.shift()?.(one);
      await rest();
    };
    return { client, answer };
  }

  it('takes the state that the list shows at once', async () => {
    const { client, answer } = slow();
    const list = new RunsModel(server([ended]).client, new FakeStream());
    const model = new RunModel('r1', client, new FakeStream(), list);
    void model.refresh();
    await answer(run());
    await list.refresh();
    expect(model.detail?.run.state_name).toBe('Completed');
    model.dispose();
  });

  it('does not fall back to what it asked for before the list', async () => {
    const { client, answer } = slow();
    const list = new RunsModel(server([ended]).client, new FakeStream());
    const model = new RunModel('r1', client, new FakeStream(), list);
    void model.refresh();
    await answer(run());
    void model.refresh();
    await list.refresh();
    await answer(run());
    expect(model.detail?.run.state_name).toBe('Completed');
    model.dispose();
  });

  it('does not go back to a list that is older', async () => {
    const { client, answer } = slow();
    const list = new RunsModel(server([run()]).client, new FakeStream());
    const model = new RunModel('r1', client, new FakeStream(), list);
    await list.refresh();
    void model.refresh();
    await answer(ended);
    (list.changed as Signal<RunsModel, void>).emit();
    expect(model.detail?.run.state_name).toBe('Completed');
    model.dispose();
  });
});

describe('continued', () => {
  it('takes each moment once and forgets the oldest', () => {
    const seconds = Array.from(
      { length: MAX_SAMPLES + 1 },
      (_, second) => second
    );
    const first = appendSamples([], seconds.slice(0, 2).map(clusterMoment));
    const samples = appendSamples(first, seconds.map(clusterMoment));
    expect(first).toHaveLength(2);
    expect(samples).toHaveLength(MAX_SAMPLES);
    expect(samples[0].time).toBe(Date.UTC(2026, 0, 1, 0, 0, 1));
  });
});
