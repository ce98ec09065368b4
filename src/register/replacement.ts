import type { Deployment, ErrorBody, RegisterRequest } from '../_api';
import type { DeploymentsModel } from '../flows/deployments';
import { ownDeployments } from '../flows/drift';
import type { IFlowSource } from './flowSource';

/** Errors of satflow_ext/errors.py that the user can answer with "Overwrite", and the resulting change of the request. */
const OVERWRITE_ANSWERS: Record<string, Partial<RegisterRequest>> = {
  DeploymentDrifted: { overwrite: true },
  DeploymentTaken: { overwrite: true, replaces: null },
  RegisteredElsewhere: { replaces: null }
};

/** Return whether the user can answer an error with "Overwrite". */
export function isOverwritable(error: ErrorBody | null): boolean {
  return error !== null && error.error in OVERWRITE_ANSWERS;
}

/** The deployments that a form may replace: those of its notebook, and others that the user agreed to overwrite. */
export class Replacement {
  constructor(private readonly deployments: Pick<DeploymentsModel, 'items'>) {}

  /** Return the deployments of the flow that its notebook registered, the most recently registered first. */
  private notebookDeployments({
    flow,
    notebookFile
  }: IFlowSource): Deployment[] {
    return ownDeployments(flow.name, notebookFile, this.deployments.items);
  }

  /** Return the deployment of the flow that its notebook registered last. */
  lastDeployment(subject: IFlowSource): Deployment | null {
    return this.notebookDeployments(subject)[0] ?? null;
  }

  /** Return the deployment with that name if it is not one of the notebook's; registering asks before it overwrites it. */
  findForeign(subject: IFlowSource, name: string): Deployment | null {
    const { flow } = subject;
    const taken = this.deployments.items.find(
      one => one.flow_name === flow.name && one.name === (name || flow.name)
    );
    return taken && !this.replaceableIds(subject).includes(taken.id)
      ? taken
      : null;
  }

  /** Return the fields of the request that permit a replacement. */
  requestFields(subject: IFlowSource): Partial<RegisterRequest> {
    return { replaces: this.replaceableIds(subject), ...this.answers };
  }

  /** Permit the overwriting that an error refused; other refusals still apply. */
  permitOverwrite(error: ErrorBody | null): void {
    this.answers = {
      ...this.answers,
      ...OVERWRITE_ANSWERS[error?.error ?? '']
    };
  }

  /** Drop the user's answers, which do not apply to another name or to the next registration. */
  resetAnswers(): void {
    this.answers = {};
  }

  /** Add a deployment that the form registered and may replace from now on. */
  addRegistered(id: string): void {
    this.registered.add(id);
    this.resetAnswers();
  }

  private replaceableIds(subject: IFlowSource): string[] {
    return [
      ...this.registered,
      ...this.notebookDeployments(subject).map(one => one.id)
    ];
  }

  private answers: Partial<RegisterRequest> = {};
  private readonly registered = new Set<string>();
}
