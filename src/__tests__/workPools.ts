import type { Infrastructure, WorkPool } from '../_api';

/** The infrastructure of a registration that does not set any. */
export const NO_INFRASTRUCTURE: Infrastructure = {
  image: null,
  cpu: null,
  memory: null,
  gpus: null,
  env: {},
  job_variables: {}
};

export const PROCESS: WorkPool = {
  name: 'team',
  type: 'process',
  paused: false,
  online_workers: 0,
  takes: ['env'],
  job_variables: {}
};

export const KUBERNETES: WorkPool = {
  name: 'k8s',
  type: 'kubernetes',
  paused: false,
  online_workers: 1,
  takes: ['image', 'env', 'cpu', 'memory'],
  job_variables: {
    type: 'object',
    properties: {
      namespace: { title: 'Namespace', type: 'string', default: 'default' },
      labels: { title: 'Labels', type: 'object' }
    }
  }
};
