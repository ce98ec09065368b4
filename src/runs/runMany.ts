import { Debouncer } from '@lumino/polling';

import type {
  Deployment,
  ErrorBody,
  JsonObject,
  JsonValue,
  RunGroupPlan,
  RunGroupRequest
} from '../_api';
import { Observable } from '../components/observable';
import {
  asObject,
  changedParameters,
  createParameterForm,
  type IParameterForm,
  toFormData
} from '../components/parameterSchema';
import { toErrorBody } from '../errors';
import type { RunGroupsModel } from './groups';

/** Milliseconds without input before the number of runs is determined. */
const DEBOUNCE_MS = 400;

/** The inputs of a varied parameter: a range of dates, some of its choices, or text such as `1..10` or `a,b`. */
export type VariedValues =
  | { kind: 'dates'; first: string; last: string }
  | { kind: 'choices'; choices: JsonValue[]; chosen: JsonValue[] }
  | { kind: 'text'; text: string };

/** The form for the runs of a deployment with different parameters. */
export class RunManyModel extends Observable {
  constructor(
    readonly deployment: Deployment,
    private readonly groups: Pick<RunGroupsModel, 'plan' | 'start'>
  ) {
    super();
    this.form = createParameterForm(deployment.parameter_schema);
    this.data = toFormData(this.form, deployment.parameters);
    const first =
      this.names.find(name => this.initialValues(name).kind === 'dates') ??
      this.names[0];
    if (first !== undefined) {
      this.varied.set(first, this.initialValues(first));
    }
  }

  readonly form: IParameterForm;

  /** The values of the parameters that are the same for all runs. */
  data: JsonObject;

  name = '';
  concurrency = 4;
  newestFirst = false;
  only: 'missing' | 'failed' | 'all' = 'missing';

  readonly varied = new Map<string, VariedValues>();

  /** The runs that would start; null while they are determined or if that failed. */
  plan: RunGroupPlan | null = null;

  /** Whether the name is that of an existing group; as of the last plan. */
  continuesGroup = false;

  /** The reason why the runs could not be determined or started. */
  error: ErrorBody | null = null;

  get names(): string[] {
    return Object.keys(asObject(this.form.schema.properties ?? {}));
  }

  /** The parameters that are the same for all runs. */
  get sharedNames(): string[] {
    return this.names.filter(name => !this.varied.has(name));
  }

  get sharedForm(): IParameterForm {
    const properties = asObject(this.form.schema.properties ?? {});
    return {
      jsonFields: this.form.jsonFields.filter(name => !this.varied.has(name)),
      schema: {
        ...this.form.schema,
        properties: pick(properties, this.sharedNames)
      }
    };
  }

  get sharedData(): JsonObject {
    return pick(this.data, this.sharedNames);
  }

  /** Whether all varied parameters have values. */
  get hasValues(): boolean {
    return this.varied.size > 0 && ![...this.varied.values()].some(isEmpty);
  }

  /** Return the error if it concerns this field. */
  errorOf(field: string): ErrorBody | null {
    return this.error?.field === field ? this.error : null;
  }

  /** Return whether the form has a field at which the error is shown. */
  hasFieldOf({ field }: ErrorBody): boolean {
    const [first, name = ''] = field?.split('.') ?? [];
    switch (first) {
      case 'name':
      case 'concurrency':
        return true;
      case 'over':
        return this.varied.has(name);
      case 'parameters':
        return this.sharedNames.includes(name);
      default:
        return false;
    }
  }

  setVaried(name: string, isVaried: boolean): void {
    if (isVaried) {
      this.varied.set(name, this.initialValues(name));
    } else {
      this.varied.delete(name);
    }
    this.change();
  }

  setValues(name: string, values: VariedValues): void {
    this.varied.set(name, values);
    this.change();
  }

  /** Change a part of the form, and determine the runs again. */
  change(
    part: Partial<
      Pick<
        RunManyModel,
        'data' | 'name' | 'concurrency' | 'newestFirst' | 'only'
      >
    > = {}
  ): void {
    Object.assign(this, part);
    this.revision += 1;
    this.plan = null;
    this.error = null;
    this.emitChanged();
    void this.debouncer.invoke();
  }

  /** Start the runs; return whether that succeeded. */
  async start(): Promise<boolean> {
    try {
      await this.groups.start(this.createRequest());
      return true;
    } catch (reason) {
      this.error = toErrorBody(reason);
      this.plan = null;
      return false;
    }
  }

  dispose(): void {
    this.debouncer.dispose();
    super.dispose();
  }

  /** @throws RequestFailed if a JSON field does not contain JSON. */
  createRequest(): RunGroupRequest {
    const over = [...this.varied].map(([name, values]) => [
      name,
      overValue(values)
    ]);
    return {
      deployment: this.deployment.id,
      name: this.name.trim() || null,
      over: Object.fromEntries(over) as RunGroupRequest['over'],
      parameters: changedParameters(
        this.sharedForm,
        this.sharedData,
        this.deployment.parameters
      ),
      concurrency: this.concurrency,
      newest_first: this.newestFirst,
      only: this.only
    };
  }

  private initialValues(name: string): VariedValues {
    const field = asObject(
      asObject(this.form.schema.properties ?? {})[name] ?? {}
    );
    if (field.format === 'date') {
      return { kind: 'dates', first: '', last: '' };
    }
    const choices =
      field.type === 'boolean' ? [true, false] : (field.enum ?? null);
    return Array.isArray(choices)
      ? { kind: 'choices', choices: choices as JsonValue[], chosen: [] }
      : { kind: 'text', text: '' };
  }

  private async readPlan(): Promise<void> {
    if (!this.hasValues) {
      return;
    }
    const { revision } = this;
    try {
      const plan = await this.groups.plan(this.createRequest());
      this.setPlan(revision, plan, null);
    } catch (reason) {
      this.setPlan(revision, null, toErrorBody(reason));
    }
  }

  /** Show a plan, unless the form was changed since it was requested. */
  private setPlan(
    revision: number,
    plan: RunGroupPlan | null,
    error: ErrorBody | null
  ): void {
    if (revision === this.revision) {
      this.plan = plan;
      this.continuesGroup = plan?.exists ?? this.continuesGroup;
      this.error = error;
      this.emitChanged();
    }
  }

  /** Number of changes of the form. */
  private revision = 0;

  private readonly debouncer = new Debouncer(
    () => this.readPlan(),
    DEBOUNCE_MS
  );
}

function pick(object: JsonObject, names: string[]): JsonObject {
  const known = names.filter(name => name in object);
  return Object.fromEntries(
    known.map(name => [name, object[name] as JsonValue])
  );
}

function isEmpty(values: VariedValues): boolean {
  switch (values.kind) {
    case 'dates':
      return values.first === '' || values.last === '';
    case 'choices':
      return values.chosen.length === 0;
    case 'text':
      return values.text.trim() === '';
  }
}

function overValue(values: VariedValues): string | JsonValue[] {
  switch (values.kind) {
    case 'dates':
      return isEmpty(values) ? '' : `${values.first}..${values.last}`;
    case 'choices':
      return values.chosen;
    case 'text':
      return values.text;
  }
}
