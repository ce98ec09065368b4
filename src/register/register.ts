import type {
  Catalogue,
  Deployment,
  Registered,
  RegisterRequest,
  Run
} from '../_api';
import { ActionModel } from '../components/actionModel';
import type { Observable } from '../components/observable';
import {
  type IParameterForm,
  createParameterForm,
  checkRequired
} from '../components/parameterSchema';
import { toErrorBody, errorBelow } from '../errors';
import { ClusterClassModel } from './clusterClass';
import {
  type IChoices,
  parseChoices,
  createDraft,
  type IDraft,
  type IRegistrationDefaults,
  formatMagicLine,
  keepExistingParameters
} from './draft';
import { changedFields } from './draftFields';
import { findChangedSource, type Intent, type IFlowSource } from './flowSource';
import { jobVariablesForm, findWorkPool } from './infrastructure';
import { PreflightModel } from './preflight';
import type { IRegisterParts } from './registerParts';
import { isOverwritable, Replacement } from './replacement';
import { SchedulePreviews } from './schedulePreview';

/** The state of one register form. */
export class RegisterModel extends ActionModel {
  constructor(
    private _source: IFlowSource,
    private readonly defaults: IRegistrationDefaults,
    private readonly parts: IRegisterParts
  ) {
    super();
    this._form = createParameterForm(_source.flow.parameter_schema);
    this._draft = this.initialDraft();
    this.initialCode = this.draftAsCode();
    this.preview = new SchedulePreviews(parts.client);
    this.preflight = new PreflightModel(parts.client);
    this.clusterClass = new ClusterClassModel(parts.client);
    this.helpers = [this.preview, this.preflight, this.clusterClass];
    this.helpers.forEach(one => one.changed.connect(this.emitChanged, this));
    parts.flows.changed.connect(this.onFlows, this);
  }

  readonly preview: SchedulePreviews;
  readonly preflight: PreflightModel;
  readonly clusterClass: ClusterClassModel;

  get source(): IFlowSource {
    return this._source;
  }

  get form(): IParameterForm {
    return this._form;
  }

  get draft(): IDraft {
    return this._draft;
  }

  get intent(): Intent {
    return this._intent;
  }

  /** The time zone of new schedules. */
  get timezone(): string {
    return this.defaults.timezone;
  }

  /** Number of times that the user opened the form. */
  get openCount(): number {
    return this._openCount;
  }

  get catalogue(): Catalogue | null {
    return this._catalogue;
  }

  /** The usage of the worker size in the last runs, in words; null if it is unknown. */
  get workerUsage(): string | null {
    return this.replacement.lastDeployment(this._source)?.needed ?? null;
  }

  /** True if the request was refused because of a deployment in Prefect that the user can choose to overwrite. */
  get canOverwrite(): boolean {
    return isOverwritable(this._error);
  }

  get registered(): Registered | null {
    return this._registered;
  }

  /** A deployment with the form's name that another notebook registered; registering asks before it overwrites it. */
  get foreignDeployment(): Deployment | null {
    return this.replacement.findForeign(this._source, this._draft.name.trim());
  }

  /** Set the intent with which the user opened the form. */
  setIntent(intent: Intent): void {
    this._intent = intent;
    this._openCount += 1;
    this.emitChanged();
  }

  /** Continue with values that were filled in before. */
  restoreDraft(intent: Intent, draft: Partial<IDraft>): void {
    this._intent = intent;
    this._draft = { ...this._draft, ...draft };
    this.emitChanged();
  }

  /** Replace the flow with its current version; values are kept if they still have a field. */
  updateFlow(source: IFlowSource): void {
    const { flow } = source;
    if (this._source.flow.fingerprint !== flow.fingerprint) {
      const parameters = keepExistingParameters(flow, this._draft.parameters);
      this._draft = { ...this._draft, parameters };
      this._form = createParameterForm(flow.parameter_schema);
      this._registered = null;
    }
    this._source = source;
    void this.runPreflight(false);
    this.emitChanged();
  }

  /** Return the registration as a line for a notebook cell. */
  formatCode(): string {
    return formatMagicLine(this._source.flow.variable, this.parseDraft());
  }

  /** Read the catalog, and the last registration of the flow if the user has not changed anything yet. */
  load(): Promise<void> {
    this.loading = this.readChoices();
    return this.loading;
  }

  changeDraft(change: Partial<IDraft>): void {
    const before = this._draft;
    this._draft = { ...before, ...change };
    this._registered = null;
    if (change.schedules) {
      this.preview.update(this._draft.schedules);
    }
    if (this._draft.name !== before.name) {
      this.replacement.resetAnswers();
    }
    const fields = changedFields(before, this._draft);
    if (fields.some(field => errorBelow(this._error, field))) {
      this._error = null;
    }
    this.emitChanged();
  }

  /** Request a pre-flight report; with `rehearse`, also test the flow in a clean process. */
  async runPreflight(rehearse: boolean): Promise<void> {
    try {
      await this.preflight.load({ ...this.buildRequest(), rehearse });
    } catch (reason) {
      this.showError(reason);
    }
  }

  /** Request the arguments of a cluster class in the environment of this kernel's runs. */
  loadClusterClass(name: string): Promise<void> {
    return this.clusterClass.load({ kernel_id: this._source.kernelId, name });
  }

  /** Send a test message through a Prefect block. */
  async testNotification(block: string): Promise<void> {
    await this.parts.client.testNotification(block);
  }

  /** Register the flow; set `error` if that fails. */
  async register(): Promise<void> {
    await this.runOnce(async () => {
      this._registered = null; // an earlier result must not look like the result of this request
      this._registered = await this.sendRegistration();
    });
  }

  /** Register the flow and overrule the last refusal, if the user may overrule it; other refusals still apply. */
  async overwrite(): Promise<void> {
    this.replacement.permitOverwrite(this._error);
    await this.register();
  }

  /** Register the flow if needed, then start a run with the form's parameters; return null if the run did not start. */
  async registerAndRun(): Promise<Run | null> {
    let run: Run | null = null;
    await this.runOnce(async () => {
      checkRequired(this._form, this._draft.parameters);
      this._registered ??= await this.sendRegistration();
      run = await this.parts.runs.startRun(this._registered.deployment.id, {});
    });
    return run;
  }

  /** Show an error of an action that the form requested elsewhere. */
  showError(reason: unknown): void {
    this._error = toErrorBody(reason);
    this.emitChanged();
  }

  dispose(): void {
    this.parts.flows.changed.disconnect(this.onFlows, this);
    this.helpers.forEach(one => one.dispose());
    super.dispose();
  }

  private async readChoices(): Promise<void> {
    try {
      await this.parts.deployments.refresh();
      this._catalogue = await this.parts.client.catalogue();
      if (this.draftAsCode() === this.initialCode) {
        this._draft = this.initialDraft();
      }
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this.preview.update(this._draft.schedules);
    this.emitChanged();
  }

  /** Update the flow, which may have changed, when the kernel reports its flows. */
  private onFlows(): void {
    const source = findChangedSource(this._source, this.parts.flows);
    if (source) {
      this.updateFlow(source);
    }
  }

  /** Send one request at a time, and only after the form shows the values that it sends. */
  private async runOnce(work: () => Promise<void>): Promise<void> {
    if (!this.isBusy) {
      await this.runAction(async () => {
        await this.loading;
        this._error = null;
        await work();
      });
    }
  }

  /** Return the form values before the user changes anything. */
  private initialDraft(): IDraft {
    const last = this.replacement.lastDeployment(this._source);
    return createDraft(this._source.flow, last, this.defaults);
  }

  /** Return the draft as code, to detect changes by the user; the form library fills in defaults by itself. */
  private draftAsCode(): string | null {
    try {
      return this.formatCode();
    } catch {
      return null;
    }
  }

  private async sendRegistration(): Promise<Registered> {
    const registered = await this.parts.deployments.register({
      ...this.buildRequest(),
      ...this.replacement.requestFields(this._source)
    });
    this.replacement.addRegistered(registered.deployment.id);
    return registered;
  }

  private parseDraft(): IChoices {
    const pool = findWorkPool(this._catalogue, this._draft.workPool);
    return parseChoices(this._draft, this._form, jobVariablesForm(pool));
  }

  private buildRequest(): RegisterRequest {
    return {
      ...this.parseDraft(),
      kernel_id: this._source.kernelId,
      variable: this._source.flow.variable,
      notebook: this._source.notebook
    };
  }

  private readonly helpers: Observable[];
  private _form: IParameterForm;
  private _draft: IDraft;
  private _intent: Intent = 'register';
  private _openCount = 0;
  private initialCode: string | null;
  private loading: Promise<void> = Promise.resolve();
  private _catalogue: Catalogue | null = null;
  private _registered: Registered | null = null;
  private readonly replacement = new Replacement(this.parts.deployments);
}
