import { fireEvent, render, screen, within } from '@testing-library/react';
import React from 'react';

import { ClustersModel } from '../clusters/clusters';
import { ClustersSection } from '../clusters/ClustersSection';
import { ClusterView } from '../clusters/ClusterView';
import { proxyPath } from '../clusters/daskPages';
import {
  appendSamples,
  MAX_SAMPLES,
  type ISample
} from '../clusters/sampleHistory';
import { cluster, FakeStream } from './fakes';
import { clusterMoment, sharedCluster } from './sharedClusters';

describe('clusters', () => {
  const onOpen = jest.fn();
  const onShowFlows = jest.fn();
  const actions = {
    onStartCluster: jest.fn(),
    onResizeCluster: jest.fn(),
    onRestartCluster: jest.fn(),
    onCloseCluster: jest.fn(),
    onDaskPages: jest.fn()
  };
  const some = {
    shared: [],
    samples: new Map<string, ISample[]>(),
    error: null,
    onOpen,
    onShowFlows,
    actions
  };

  const dask = { onDaskPages: null };

  it('opens a cluster with a dashboard in Dask’s own extension', () => {
    const dashboard = '127.0.0.1:8787';
    const clusters = [cluster({ dashboard }), cluster({ run_id: 'r2' })];
    render(<ClustersSection {...some} clusters={clusters} />);
    fireEvent.click(screen.getByTestId('satflow-dask-pages'));
    expect(actions.onDaskPages).toHaveBeenCalledWith(clusters[0]);
    expect(proxyPath(dashboard)).toBe('proxy/8787');
    expect(proxyPath('dask.team:8787')).toBe('proxy/dask.team:8787');
  });

  it('shows workers of those planned, memory and tasks', () => {
    render(<ClustersSection {...some} clusters={[cluster()]} />);
    expect(screen.getByText('1 of 2 workers')).toBeTruthy();
    expect(screen.getByText('1.0 GiB / 4.0 GiB')).toBeTruthy();
    expect(screen.getByText('4 processing')).toBeTruthy();
    fireEvent.click(screen.getByRole('button', { name: 'tiles' }));
    expect(onOpen).toHaveBeenCalledWith('r1', 'brave-owl');
  });

  it('is never blank', () => {
    render(<ClustersSection {...some} clusters={[]} />);
    fireEvent.click(screen.getByRole('button', { name: 'Show flows' }));
    expect(onShowFlows).toHaveBeenCalled();
  });

  it('offers the actions on a running shared cluster', () => {
    const running = sharedCluster();
    render(<ClustersSection {...some} clusters={[]} shared={[running]} />);
    ['Resize', 'Restart', 'Close'].forEach(verb => {
      const name = `${verb} the cluster of tiles/tiles…`;
      fireEvent.click(screen.getByRole('button', { name }));
      const done = `on${verb}Cluster` as keyof typeof actions;
      expect(actions[done]).toHaveBeenCalledWith(running);
    });
  });

  it('shows the state of a shared cluster, and the runs that use it', () => {
    const running = sharedCluster();
    const executor = 'dask-cluster';
    const own = cluster({ executor, run_id: null, run_name: null, plan: 3 });
    const clusters = [cluster({ executor }), own, cluster({ run_id: 'r2' })];
    const samples = new Map([['d1', appendSamples([], [clusterMoment(5)])]]);
    render(
      <ClustersSection
        {...some}
        clusters={clusters}
        samples={samples}
        shared={[running]}
      />
    );
    const row = screen.getByTestId('satflow-shared-cluster');
    expect(within(row).getByText('1 of 3 workers')).toBeTruthy();
    expect(within(row).getByRole('img', { name: 'CPU: 1.5 cores' }));
    fireEvent.click(within(row).getByRole('button', { name: 'brave-owl' }));
    expect(onOpen).toHaveBeenCalledWith('r1', 'brave-owl');
    expect(screen.getAllByTestId('satflow-cluster')).toHaveLength(1);
  });

  it('follows every cluster while it is watched', () => {
    const stream = new FakeStream();
    const model = new ClustersModel(stream);
    const told = cluster({ run_id: null });
    const send = (...seconds: number[]) =>
      stream.send('clusters', {
        type: 'clusters.v1',
        clusters: [told],
        absent: ['d2'],
        moments: { d1: seconds.map(clusterMoment) }
      });
    model.watch();
    model.watch();
    send(1, 2, 3);
    expect([model.items, model.deploymentsWithoutCluster]).toEqual([
      [told],
      ['d2']
    ]);
    expect(model.samples.get('d1')).toHaveLength(3);
    send(2, 3, 4); // the stream reconnected, and starts with earlier moments
    expect(model.samples.get('d1')).toHaveLength(4);
    send(...Array.from({ length: 2 * MAX_SAMPLES }, (_, second) => second));
    expect(model.samples.get('d1')).toHaveLength(MAX_SAMPLES);
    const error = { error: 'E', message: 'no', fix: null, field: null };
    const topic = 'clusters' as const;
    stream.send(topic, { type: 'error.v1', topic, run_id: null, error });
    expect(model.error).toBe(error);
    model.dispose();
    expect(stream.topics.size).toBe(0);
  });

  it('offers to start one that does not run, and not twice', () => {
    const resting = sharedCluster({ state: 'none', isBusy: true });
    const clusters = [cluster({ executor: 'dask-cluster', run_id: null })];
    render(
      <ClustersSection {...some} clusters={clusters} shared={[resting]} />
    );
    const start = screen.getByRole('button', { name: /^Start the cluster/ });
    expect(start).toHaveProperty('disabled', true);
    expect(screen.getByText('working…')).toBeTruthy();
    expect(screen.queryByText('1 of 2 workers')).toBeNull();
  });

  it('offers no actions on a cluster that was not checked yet', () => {
    const unseen = sharedCluster({ state: 'unknown' });
    render(<ClustersSection {...some} clusters={[]} shared={[unseen]} />);
    expect(screen.getByText('checking…')).toBeTruthy();
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('shows each worker with its CPU and memory', () => {
    render(<ClusterView cluster={cluster()} samples={[]} {...dask} />);
    const cpu = screen.getByRole('meter', { name: 'CPU' });
    expect(cpu.getAttribute('aria-valuenow')).toBe('75');
    expect(screen.getByText('150 %')).toBeTruthy();
    const memory = screen.getByRole('meter', { name: 'Memory' });
    expect(memory.getAttribute('aria-valuetext')).toBe(
      '1.0 GiB / 4.0 GiB; 512 MiB task results, 512 MiB other, 0 B on disk'
    );
  });

  it('draws a cluster over time, with its events', () => {
    const time = '2026-01-01T00:00:05Z';
    const lost = { time, kind: 'lost' as const, worker: '3', tasks: 2 };
    const one = cluster({ events: [lost], pending: '1 Dask worker paused.' });
    const samples = appendSamples([], [4, 5, 6].map(clusterMoment));
    render(<ClusterView cluster={one} samples={samples} {...dask} />);
    const workers = screen.getByRole('img', { name: /^Workers/ });
    expect(workers.getAttribute('aria-label')).toBe(
      'Workers: current 1, planned 2'
    );
    expect(workers.querySelector('title')?.textContent).toBe(
      'Worker 3 was lost; 2 tasks are recomputed'
    );
    expect(screen.getByTestId('satflow-cluster-events').textContent).toContain(
      'Worker 3 was lost; 2 tasks are recomputed'
    );
    expect(screen.getByText('1 Dask worker paused.')).toBeTruthy();
    expect(screen.getByRole('img', { name: /^CPU: cores busy 1.5/ }));
  });

  it('shows if there is none', () => {
    render(<ClusterView cluster={null} samples={[]} {...dask} />);
    expect(screen.getByTestId('satflow-no-cluster')).toBeTruthy();
  });
});
