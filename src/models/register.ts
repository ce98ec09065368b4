import { Debouncer } from '@lumino/polling';

import type {
  Catalogue,
  Deployment,
  ErrorBody,
  LiveFlow,
  Registered,
  Run
} from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import type { DeploymentsModel } from './deployments';
import {
  choicesOf,
  draftOf,
  type IDraft,
  type IPreset,
  magicLine,
  scheduleOf
} from './draft';
import { drift } from './drift';
import { Observable } from './observable';
import { type IParameterForm, parameterForm } from './parameterSchema';
import type { RunsModel } from './runs';

/** Which flow to register, and where it lives. */
export interface ISubject {
  flow: LiveFlow;
  kernelId: string;
  notebook: string | null;
}

/** What the form needs of the rest. */
export interface IRegisterParts {
  client: Pick<IClient, 'catalogue' | 'previewSchedule'>;
  deployments: DeploymentsModel;
  runs: RunsModel;
}

/** Milliseconds of quiet before the next runs are computed. */
const QUIET = 300;

/** One filling-in of the register form. */
export class RegisterModel extends Observable {
  constructor(
    readonly subject: ISubject,
    private readonly preset: IPreset,
    private readonly parts: IRegisterParts
  ) {
    super();
    this.form = parameterForm(subject.flow.parameter_schema);
    this._draft = draftOf(subject.flow, this.earlier(), preset);
    this.untouched = this.spelled();
  }

  readonly form: IParameterForm;

  get draft(): IDraft {
    return this._draft;
  }

  get catalogue(): Catalogue | null {
    return this._catalogue;
  }

  /** The next runs of the schedule as it stands, null where there is none or it is wrong. */
  get nextRuns(): string[] | null {
    return this._nextRuns;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  get isSending(): boolean {
    return this._isSending;
  }

  get registered(): Registered | null {
    return this._registered;
  }

  /** The same as a line for a cell. */
  code(): string {
    const choices = choicesOf(this._draft, this.form);
    return magicLine(this.subject.flow.variable, choices);
  }

  /** Read what the form offers, and how the flow was registered before where nothing was changed yet. */
  async load(): Promise<void> {
    try {
      await this.parts.deployments.refresh();
      this._catalogue = await this.parts.client.catalogue();
      this._error = null;
      if (this.spelled() === this.untouched) {
        this._draft = draftOf(this.subject.flow, this.earlier(), this.preset);
      }
    } catch (reason) {
      this._error = errorBody(reason);
    }
    this.tell();
    void this.preview.invoke();
  }

  update(change: Partial<IDraft>): void {
    this._draft = { ...this._draft, ...change };
    this._registered = null;
    this.tell();
    if (change.schedule) {
      void this.preview.invoke();
    }
  }

  /** Register; what went wrong stands in `error`. */
  async register(): Promise<Registered | null> {
    this._isSending = true;
    this._error = null;
    this.tell();
    try {
      this._registered = await this.send();
    } catch (reason) {
      this._error = errorBody(reason);
      this._registered = null;
    }
    this._isSending = false;
    this.tell();
    return this._registered;
  }

  /** Register where that is needed, then start a run with the form's parameters. */
  async registerAndRun(): Promise<Run | null> {
    const registered = this._registered ?? (await this.register());
    if (!registered) {
      return null;
    }
    try {
      return await this.parts.runs.start(registered.deployment.id, {});
    } catch (reason) {
      this._error = errorBody(reason);
      this.tell();
      return null;
    }
  }

  /** Say that something the form asked for went wrong outside of it. */
  fail(reason: unknown): void {
    this._error = errorBody(reason);
    this.tell();
  }

  dispose(): void {
    this.preview.dispose();
    super.dispose();
  }

  /** The draft as code, to see whether the user changed it; forms fill in defaults by themselves. */
  private spelled(): string | null {
    try {
      return this.code();
    } catch {
      return null;
    }
  }

  private earlier(): Deployment | null {
    const found = drift(this.subject.flow, this.parts.deployments.items);
    return found.kind === 'new' ? null : found.deployment;
  }

  private send(): Promise<Registered> {
    const { flow, kernelId, notebook } = this.subject;
    return this.parts.deployments.register({
      ...choicesOf(this._draft, this.form),
      kernel_id: kernelId,
      variable: flow.variable,
      notebook
    });
  }

  private async readPreview(): Promise<void> {
    const schedule = scheduleOf(this._draft.schedule);
    this._nextRuns = null;
    if (schedule.kind !== 'none') {
      try {
        const request = { schedule, count: 5 };
        const preview = await this.parts.client.previewSchedule(request);
        this._nextRuns = preview.next_runs;
        this.forgetScheduleError();
      } catch (reason) {
        this._error = errorBody(reason);
      }
    }
    this.tell();
  }

  private forgetScheduleError(): void {
    if (this._error?.field?.startsWith('schedule')) {
      this._error = null;
    }
  }

  private readonly preview = new Debouncer(() => this.readPreview(), QUIET);
  private _draft: IDraft;
  private readonly untouched: string | null;
  private _catalogue: Catalogue | null = null;
  private _nextRuns: string[] | null = null;
  private _error: ErrorBody | null = null;
  private _isSending = false;
  private _registered: Registered | null = null;
}
