import { ClustersModel } from '../clusters/clusters';
import {
  SharedClustersModel,
  parseSizeOrder
} from '../clusters/sharedClusters';
import { cluster, deployment, FakeStream } from './fakes';

const executor = { name: 'dask-cluster', options: {}, from_flow: false };
const shares = (options: object) => ({ ...executor, options: { ...options } });

describe('SharedClustersModel', () => {
  const done = (state: 'running' | 'starting') => ({
    deployment_id: 'd1',
    deployment_name: 'tiles/tiles',
    gateway: '',
    state,
    workers: 0,
    plan: null,
    why: null,
    worker_size: null,
    started: null
  });
  const client = {
    orderCluster: jest.fn(() => Promise.resolve(done('running'))),
    closeCluster: jest.fn(() => Promise.resolve())
  };
  const stream = new FakeStream();
  const clusters = new ClustersModel(stream);
  const deployments = {
    changed: clusters.changed,
    items: [
      deployment({ id: 'd1', executor: shares({ gateway: 'team' }) }),
      deployment({ id: 'd2' }),
      deployment({ id: 'd3', executor: shares({ share: 'run' }) }),
      deployment({ id: 'd4', executor: shares({ backend: 'slurm' }) })
    ]
  };
  const model = new SharedClustersModel(client, deployments, clusters);
  const state = () => model.items[0].state;
  const told = cluster({
    executor: executor.name,
    run_id: null,
    deployment_id: 'd1'
  });
  const send = (some: (typeof told)[], absent: string[] = []) =>
    stream.send('clusters', {
      type: 'clusters.v1',
      clusters: some,
      absent,
      moments: {}
    });
  beforeAll(() => {
    jest.useFakeTimers();
    clusters.watch();
  });
  afterAll(() => {
    model.dispose();
    jest.useRealTimers();
  });

  it('lists the clusters that runs share, and does not guess their state', () => {
    expect(model.items).toEqual([
      {
        deployment_id: 'd1',
        deployment_name: 'tiles/tiles',
        gateway: 'team',
        state: 'unknown',
        workers: 0,
        isBusy: false
      }
    ]);
  });

  it('has the state of the stream, also if only a run reports it', () => {
    send([], ['d1']);
    expect(state()).toBe('none');
    send([{ ...told, run_id: 'r1' }]);
    expect(state()).toBe('running');
    send([
      { ...told, run_id: 'r1' },
      { ...told, state: 'lost' }
    ]);
    expect(state()).toBe('lost');
    send([]);
    expect(state()).toBe('unknown');
    send([{ ...told, executor: 'dask-local', run_id: 'r2' }]);
    expect(state()).toBe('unknown');
  });

  it('is busy during an order; the stream catches up', async () => {
    send([], ['d1']);
    const order = model.sendOrder('d1', { do: 'start' });
    expect(model.items[0].isBusy).toBe(true);
    await order;
    expect(client.orderCluster).toHaveBeenCalledWith('d1', {
      order: { do: 'start' }
    });
    send([], ['d1']); // not checked since
    expect([state(), model.items[0].isBusy]).toEqual(['running', false]);
    send([told]);
    send([{ ...told, state: 'lost' }]);
    expect(state()).toBe('lost');
  });

  it('uses the stream if that does not catch up', async () => {
    send([told]);
    await model.closeCluster('d1');
    expect(state()).toBe('none');
    jest.advanceTimersByTime(11_000);
    expect(state()).toBe('running');
  });

  it('reports errors, and is idle again', async () => {
    client.orderCluster.mockRejectedValueOnce(new Error('no'));
    await expect(model.sendOrder('d1', { do: 'restart' })).rejects.toThrow(
      'no'
    );
    expect(model.items[0].isBusy).toBe(false);
  });
});

describe('sizeOrder', () => {
  it.each([
    ['4', { do: 'scale', workers: 4 }],
    [' 1 - 8 ', { do: 'adapt', minimum: 1, maximum: 8 }],
    ['many', null],
    ['', null]
  ])('reads %j', (text, order) => {
    expect(parseSizeOrder(text)).toEqual(order);
  });
});
