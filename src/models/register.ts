import type {
  Catalogue,
  Deployment,
  Registered,
  RegisterRequest,
  Run
} from '../_api';
import { errorBody, errorUnder } from '../errors';
import { ClusterClassModel } from './clusterClass';
import {
  type Choices,
  choicesOf,
  draftOf,
  type IDraft,
  type IPreset,
  magicLine,
  withField
} from './draft';
import { changedFields } from './draftFields';
import { poolForm, poolOf } from './infrastructure';
import {
  type IParameterForm,
  parameterForm,
  refuseMissing
} from './parameterSchema';
import type { Observable } from './observable';
import { PreflightModel } from './preflight';
import type { IRegisterParts } from './registerParts';
import { isOverwritable, Replacement } from './replacement';
import { SchedulePreview } from './schedulePreview';
import type { Intent, ISubject } from './subject';
import { Working } from './working';

/** The state of one register form. */
export class RegisterModel extends Working {
  constructor(
    private _subject: ISubject,
    private readonly preset: IPreset,
    private readonly parts: IRegisterParts
  ) {
    super();
    this._form = parameterForm(_subject.flow.parameter_schema);
    this._draft = this.initial();
    this.untouched = this.spelled();
    this.preview = new SchedulePreview(parts.client);
    this.preflight = new PreflightModel(parts.client);
    this.clusterClass = new ClusterClassModel(parts.client);
    this.helpers = [this.preview, this.preflight, this.clusterClass];
    this.helpers.forEach(one => one.changed.connect(this.tell, this));
    parts.flows.changed.connect(this.onFlows, this);
  }

  readonly preview: SchedulePreview;
  readonly preflight: PreflightModel;
  readonly clusterClass: ClusterClassModel;

  get subject(): ISubject {
    return this._subject;
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

  /** Number of times that the user opened the form. */
  get asked(): number {
    return this._asked;
  }

  get catalogue(): Catalogue | null {
    return this._catalogue;
  }

  /** The usage of the worker size in the last runs, in words; null if it is unknown. */
  get needed(): string | null {
    return this.replacement.last(this._subject)?.needed ?? null;
  }

  /** True if the request was refused because of a deployment in Prefect that the user can choose to overwrite. */
  get canOverwrite(): boolean {
    return isOverwritable(this._error);
  }

  get registered(): Registered | null {
    return this._registered;
  }

  /** A deployment with the form's name that another notebook registered; registering asks before it overwrites it. */
  get foreign(): Deployment | null {
    return this.replacement.foreign(this._subject, this._draft.name.trim());
  }

  /** Set the intent with which the user opened the form. */
  ask(intent: Intent): void {
    this._intent = intent;
    this._asked += 1;
    this.tell();
  }

  /** Continue with values that were filled in before. */
  resume(intent: Intent, draft: Partial<IDraft>): void {
    this._intent = intent;
    this._draft = { ...this._draft, ...draft };
    this.tell();
  }

  /** Replace the flow with its current version; values are kept if they still have a field. */
  renew(subject: ISubject): void {
    if (this._subject.flow.fingerprint !== subject.flow.fingerprint) {
      const parameters = withField(subject.flow, this._draft.parameters);
      this._draft = { ...this._draft, parameters };
      this._form = parameterForm(subject.flow.parameter_schema);
      this._registered = null;
    }
    this._subject = subject;
    void this.check(false);
    this.tell();
  }

  /** Return the registration as a line for a notebook cell. */
  code(): string {
    return magicLine(this._subject.flow.variable, this.choices());
  }

  /** Read the catalog, and the last registration of the flow if the user has not changed anything yet. */
  load(): Promise<void> {
    this.loading = this.read();
    return this.loading;
  }

  update(change: Partial<IDraft>): void {
    const before = this._draft;
    this._draft = { ...before, ...change };
    this._registered = null;
    if (change.schedule) {
      this.preview.show(this._draft.schedule);
    }
    if (this._draft.name !== before.name) {
      this.replacement.reset();
    }
    const fields = changedFields(before, this._draft);
    if (fields.some(field => errorUnder(this._error, field))) {
      this._error = null;
    }
    this.tell();
  }

  /** Request a pre-flight report; with `rehearse`, also test the flow in a clean process. */
  async check(rehearse: boolean): Promise<void> {
    try {
      await this.preflight.ask({ ...this.request(), rehearse });
    } catch (reason) {
      this.fail(reason);
    }
  }

  /** Request the arguments of a cluster class in the environment of this kernel's runs. */
  askClass(name: string): Promise<void> {
    return this.clusterClass.ask({ kernel_id: this._subject.kernelId, name });
  }

  /** Register the flow; set `error` if that fails. */
  async register(): Promise<void> {
    await this.sending(async () => {
      this._registered = null; // an earlier result must not look like the result of this request
      this._registered = await this.send();
    });
  }

  /** Register the flow and overrule the last refusal, if the user may overrule it; other refusals still apply. */
  async overwrite(): Promise<void> {
    this.replacement.overrule(this._error);
    await this.register();
  }

  /** Register the flow if needed, then start a run with the form's parameters; return null if the run did not start. */
  async registerAndRun(): Promise<Run | null> {
    let run: Run | null = null;
    await this.sending(async () => {
      refuseMissing(this._form, this._draft.parameters);
      this._registered ??= await this.send();
      run = await this.parts.runs.start(this._registered.deployment.id, {});
    });
    return run;
  }

  /** Show an error of an action that the form requested elsewhere. */
  fail(reason: unknown): void {
    this._error = errorBody(reason);
    this.tell();
  }

  dispose(): void {
    this.parts.flows.changed.disconnect(this.onFlows, this);
    this.helpers.forEach(one => one.dispose());
    super.dispose();
  }

  private async read(): Promise<void> {
    try {
      await this.parts.deployments.refresh();
      this._catalogue = await this.parts.client.catalogue();
      if (this.spelled() === this.untouched) {
        this._draft = this.initial();
      }
    } catch (reason) {
      this._error = errorBody(reason);
    }
    this.preview.show(this._draft.schedule);
    this.tell();
  }

  /** Update the flow, which may have changed, when the kernel reports its flows. */
  private onFlows(): void {
    const { notebook, state } = this.parts.flows;
    const { flow, kernelId, notebook: path } = this._subject;
    if (notebook?.path !== path || !notebook?.kernelId || !('list' in state)) {
      return;
    }
    const now = state.list?.flows.find(one => one.variable === flow.variable);
    const notebookFile = state.list?.notebook ?? null;
    const isSame =
      notebook.kernelId === kernelId &&
      notebookFile === this._subject.notebookFile &&
      now?.fingerprint === flow.fingerprint;
    if (now && !isSame) {
      const { kernelId } = notebook;
      this.renew({ flow: now, kernelId, notebook: path, notebookFile });
    }
  }

  /** Send one request at a time, and only after the form shows the values that it sends. */
  private async sending(work: () => Promise<void>): Promise<void> {
    if (!this.isBusy) {
      await this.doing(async () => {
        await this.loading;
        this._error = null;
        await work();
      });
    }
  }

  /** Return the form values before the user changes anything. */
  private initial(): IDraft {
    const { flow } = this._subject;
    return draftOf(flow, this.replacement.last(this._subject), this.preset);
  }

  /** Return the draft as code, to detect changes by the user; the form library fills in defaults by itself. */
  private spelled(): string | null {
    try {
      return this.code();
    } catch {
      return null;
    }
  }

  private async send(): Promise<Registered> {
    const registered = await this.parts.deployments.register({
      ...this.request(),
      ...this.replacement.request(this._subject)
    });
    this.replacement.add(registered.deployment.id);
    return registered;
  }

  private choices(): Choices {
    const pool = poolOf(this._catalogue, this._draft.workPool);
    return choicesOf(this._draft, this._form, poolForm(pool));
  }

  private request(): RegisterRequest {
    const { flow, kernelId, notebook } = this._subject;
    return {
      ...this.choices(),
      kernel_id: kernelId,
      variable: flow.variable,
      notebook
    };
  }

  private readonly helpers: Observable[];
  private _form: IParameterForm;
  private _draft: IDraft;
  private _intent: Intent = 'register';
  private _asked = 0;
  private untouched: string | null;
  private loading: Promise<void> = Promise.resolve();
  private _catalogue: Catalogue | null = null;
  private _registered: Registered | null = null;
  private readonly replacement = new Replacement(this.parts.deployments);
}
