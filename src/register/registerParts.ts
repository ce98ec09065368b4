import type { IClient } from '../client';
import type { DeploymentsModel } from '../flows/deployments';
import type { FlowsModel } from '../flows/flows';
import type { RunsModel } from '../runs/runs';

/** The models that the register form requires. */
export interface IRegisterParts {
  client: Pick<
    IClient,
    | 'catalogue'
    | 'clusterClass'
    | 'preflight'
    | 'previewSchedule'
    | 'testNotification'
  >;
  deployments: DeploymentsModel;
  flows: Pick<FlowsModel, 'changed' | 'notebook' | 'state'>;
  runs: RunsModel;
}
