import type { Deployment, LiveFlow } from '../_api';

/** The result of comparing a flow in the kernel with the deployment that its notebook registered last. */
export type Drift =
  | { kind: 'new' }
  | { kind: 'registered'; deployment: Deployment }
  | { kind: 'changed'; deployment: Deployment };

/**
 * Return the deployments of a flow that a notebook registered, the most recently registered first.
 *
 * @param flowName - the flow's name in Prefect
 * @param notebook - the path of the kernel's notebook (`FlowList.notebook`), or null if it is unknown
 * @param deployments - all deployments
 */
export function ownDeployments(
  flowName: string,
  notebook: string | null,
  deployments: readonly Deployment[]
): Deployment[] {
  return deployments
    .filter(
      one => one.flow_name === flowName && isRegisteredFrom(one, notebook)
    )
    .sort((a, b) => registeredAt(b) - registeredAt(a));
}

/**
 * Compare a flow with the deployment that its notebook registered last, by fingerprint.
 *
 * @param flow - the flow in the kernel
 * @param own - the result of `ownDeployments` for the flow
 */
export function compareWithDeployment(
  flow: LiveFlow,
  own: readonly Deployment[]
): Drift {
  const deployment = own[0];
  if (!deployment) {
    return { kind: 'new' };
  }
  return deployment.fingerprint === flow.fingerprint
    ? { kind: 'registered', deployment }
    : { kind: 'changed', deployment };
}

/**
 * Return whether a notebook registered a deployment. Files with the same name count as the same notebook in two
 * checkouts, unless this machine has both files.
 */
function isRegisteredFrom(
  deployment: Deployment,
  notebook: string | null
): boolean {
  const { notebook: before, notebook_file: file } = deployment;
  if (!before || !notebook) {
    return false;
  }
  return (
    before === notebook ||
    (file ? file === notebook : baseName(before) === baseName(notebook))
  );
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function registeredAt({ registered_at }: Deployment): number {
  return registered_at === null ? 0 : Date.parse(registered_at);
}
