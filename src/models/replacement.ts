import type { Deployment, ErrorBody, RegisterRequest } from '../_api';
import type { DeploymentsModel } from './deployments';
import { ownDeployments } from './drift';
import type { ISubject } from './subject';

/** Refusals of satflow_ext/errors.py that the user can answer with "Overwrite", and what of the request that changes. */
const ANSWERS: Record<string, Partial<RegisterRequest>> = {
  DeploymentDrifted: { overwrite: true },
  DeploymentTaken: { overwrite: true, replaces: null },
  RegisteredElsewhere: { replaces: null }
};

/** Whether the user can answer a refusal with "Overwrite". */
export function isOverwritable(error: ErrorBody | null): boolean {
  return error !== null && error.error in ANSWERS;
}

/** Which deployments a form may make the next version of: its notebook's own, and any other that the user was asked about. */
export class Replacement {
  constructor(private readonly deployments: Pick<DeploymentsModel, 'items'>) {}

  /** The deployments of the flow that its notebook registered, the one registered last first. */
  private own({ flow, notebookFile }: ISubject): Deployment[] {
    return ownDeployments(flow.name, notebookFile, this.deployments.items);
  }

  /** The deployment of the flow that its notebook registered last. */
  last(subject: ISubject): Deployment | null {
    return this.own(subject)[0] ?? null;
  }

  /** The deployment of that name where it is not one of these; registering asks before it overwrites that. */
  foreign(subject: ISubject, name: string): Deployment | null {
    const { flow } = subject;
    const taken = this.deployments.items.find(
      one => one.flow_name === flow.name && one.name === (name || flow.name)
    );
    return taken && !this.ids(subject).includes(taken.id) ? taken : null;
  }

  /** What the request says of it. */
  request(subject: ISubject): Partial<RegisterRequest> {
    return { replaces: this.ids(subject), ...this.answers };
  }

  /** The user wants to overwrite what a refusal is about; other refusals still hold. */
  overrule(error: ErrorBody | null): void {
    this.answers = { ...this.answers, ...ANSWERS[error?.error ?? ''] };
  }

  /** What the user has answered does not hold for another name, or for the next registration. */
  reset(): void {
    this.answers = {};
  }

  /** The form registered a deployment, which is its own from now on. */
  add(id: string): void {
    this.registered.add(id);
    this.reset();
  }

  private ids(subject: ISubject): string[] {
    return [...this.registered, ...this.own(subject).map(one => one.id)];
  }

  private answers: Partial<RegisterRequest> = {};
  private readonly registered = new Set<string>();
}
