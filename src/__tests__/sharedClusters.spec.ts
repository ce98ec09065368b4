import { SharedClustersModel, sizeOrder } from '../models/sharedClusters';
import { deployment, sharedCluster } from './fakes';

const executor = { name: 'dask-cluster', options: {} };

describe('SharedClustersModel', () => {
  const client = {
    sharedCluster: jest.fn((id: string) =>
      Promise.resolve(sharedCluster({ deployment_id: id }))
    ),
    orderCluster: jest.fn(() => Promise.resolve(sharedCluster())),
    closeCluster: jest.fn(() => Promise.resolve())
  };
  const items = [
    deployment({ id: 'd1', executor }),
    deployment({ id: 'd2' }),
    deployment({
      id: 'd3',
      executor: { ...executor, options: { share: 'run' } }
    })
  ];
  const model = new SharedClustersModel(client, { items });
  afterAll(() => model.dispose());

  it('is busy while it does what it was asked for, then reads anew', async () => {
    const busy: boolean[] = [];
    await model.close('d1');
    model.changed.connect(() => busy.push(model.items[0].isBusy));
    await model.order('d1', { do: 'start' });
    expect(client.orderCluster).toHaveBeenCalledWith('d1', {
      order: { do: 'start' }
    });
    expect(busy).toEqual([true, false]);
  });

  it('asks only for deployments whose runs share one', () => {
    const asked = new Set(client.sharedCluster.mock.calls.flat());
    expect(asked).toEqual(new Set(['d1']));
  });

  it('tells what went wrong, and is at rest again', async () => {
    client.orderCluster.mockRejectedValueOnce(new Error('no'));
    await expect(model.order('d1', { do: 'restart' })).rejects.toThrow('no');
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
    expect(sizeOrder(text)).toEqual(order);
  });
});
