import type {
  ClusterClass,
  ClusterClassRequest,
  ErrorBody,
  JsonObject,
  JsonValue
} from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import {
  asObject,
  type IParameterForm,
  isSameJson
} from '../components/parameterSchema';
import { toErrorBody } from '../errors';

/** The arguments of a cluster class, loaded when the user asks for them. */
export class ClusterClassModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'clusterClass'>) {
    super();
  }

  get clusterClass(): ClusterClass | null {
    return this._clusterClass;
  }

  /** The reason why the arguments could not be loaded. */
  get error(): ErrorBody | null {
    return this._error;
  }

  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Request the arguments; only the answer to the latest request counts. */
  async load(request: ClusterClassRequest): Promise<void> {
    const question = (this.latestRequest = {});
    this._isBusy = true;
    this._error = null;
    this.emitChanged();
    const answer = await this.client.clusterClass(request).then(
      found => ({ found, error: null }),
      reason => ({ found: null, error: toErrorBody(reason) })
    );
    if (question === this.latestRequest && !this.isDisposed) {
      this._clusterClass = answer.found;
      this._error = answer.error;
      this._isBusy = false;
      this.emitChanged();
    }
  }

  private latestRequest: object | null = null;
  private _clusterClass: ClusterClass | null = null;
  private _error: ErrorBody | null = null;
  private _isBusy = false;
}

/** Return the options of a cluster provider as an object, whether the user typed JSON or filled in a form. */
export function toOptions(value: JsonValue | undefined): JsonObject {
  return asObject(
    typeof value === 'string' ? parseJsonOrText(value) : (value ?? {})
  );
}

/** Return the form values that differ from the defaults of the class. */
export function chosenOptions(
  form: IParameterForm,
  data: JsonObject
): JsonObject {
  const properties = asObject(form.schema.properties ?? {});
  const said = Object.entries(data).flatMap(([name, value]) => {
    const isText = form.jsonFields.includes(name) && typeof value === 'string';
    const preset = asObject(properties[name] ?? {}).default;
    const isSame =
      value === undefined || value === '' || isSameJson(value, preset ?? null);
    return isSame ? [] : [[name, isText ? parseJsonOrText(value) : value]];
  });
  return Object.fromEntries(said) as JsonObject;
}

function parseJsonOrText(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
