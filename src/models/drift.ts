import type { Deployment, LiveFlow } from '../_api';

/** How a flow in the kernel compares with the deployment of its name. */
export type Drift =
  | { kind: 'new' }
  | { kind: 'registered'; deployment: Deployment }
  | { kind: 'changed'; deployment: Deployment }
  | { kind: 'unknown'; deployment: Deployment };

/**
 * Compare by fingerprint.
 *
 * @param flow - the flow as the kernel has it
 * @param deployments - all of them, newest first
 */
export function drift(flow: LiveFlow, deployments: Deployment[]): Drift {
  const same = deployments.filter(one => one.flow_name === flow.name);
  const match = same.find(one => one.fingerprint === flow.fingerprint);
  if (match) {
    return { kind: 'registered', deployment: match };
  }
  const deployment = same[0];
  if (!deployment) {
    return { kind: 'new' };
  }
  return deployment.fingerprint === null
    ? { kind: 'unknown', deployment }
    : { kind: 'changed', deployment };
}
