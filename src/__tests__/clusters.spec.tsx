import { nullTranslator } from '@jupyterlab/translation';
import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { ClustersSection } from '../views/ClustersSection';
import { ClusterView } from '../views/ClusterView';
import { cluster, sharedCluster } from './fakes';

const trans = nullTranslator.load('satflow_ext');

describe('clusters', () => {
  const onOpen = jest.fn();
  const onShowFlows = jest.fn();
  const actions = {
    onStartCluster: jest.fn(),
    onResizeCluster: jest.fn(),
    onRestartCluster: jest.fn(),
    onCloseCluster: jest.fn()
  };
  const some = { shared: [], error: null, onOpen, onShowFlows, actions, trans };

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

  it('offers what can be done with a shared cluster that runs', () => {
    const running = { ...sharedCluster(), isBusy: false };
    render(<ClustersSection {...some} clusters={[]} shared={[running]} />);
    expect(screen.getByText('3 workers')).toBeTruthy();
    ['Resize', 'Restart', 'Close'].forEach(verb => {
      const name = `${verb} the cluster of tiles/tiles…`;
      fireEvent.click(screen.getByRole('button', { name }));
      const done = `on${verb}Cluster` as keyof typeof actions;
      expect(actions[done]).toHaveBeenCalledWith(running);
    });
  });

  it('offers to start one that does not run, and not twice', () => {
    const resting = { ...sharedCluster({ state: 'none' }), isBusy: true };
    render(<ClustersSection {...some} clusters={[]} shared={[resting]} />);
    const start = screen.getByRole('button', { name: /^Start the cluster/ });
    expect(start).toHaveProperty('disabled', true);
    expect(screen.getByText('working…')).toBeTruthy();
  });

  it('shows each worker with its CPU and memory', () => {
    const samples = [{ time: 0, processing: 4, memory: 1024 }];
    render(<ClusterView cluster={cluster()} samples={samples} trans={trans} />);
    const cpu = screen.getByRole('meter', { name: 'CPU' });
    expect(cpu.getAttribute('aria-valuenow')).toBe('75');
    expect(screen.getByText('150 %')).toBeTruthy();
  });

  it('says where there is none', () => {
    render(<ClusterView cluster={null} samples={[]} trans={trans} />);
    expect(screen.getByTestId('satflow-no-cluster')).toBeTruthy();
  });
});
