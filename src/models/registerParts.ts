import type { IClient } from '../client';
import type { DeploymentsModel } from './deployments';
import type { FlowsModel } from './flows';
import type { RunsModel } from './runs';

/** The models that the register form requires. */
export interface IRegisterParts {
  client: Pick<
    IClient,
    'catalogue' | 'clusterClass' | 'preflight' | 'previewSchedule'
  >;
  deployments: DeploymentsModel;
  flows: Pick<FlowsModel, 'changed' | 'notebook' | 'state'>;
  runs: RunsModel;
}
