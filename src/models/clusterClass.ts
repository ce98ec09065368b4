import type {
  ClusterClass,
  ClusterClassRequest,
  ErrorBody,
  JsonObject,
  JsonValue
} from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { Observable } from './observable';
import { asObject, type IParameterForm, sameJson } from './parameterSchema';

/** What a cluster class can be told, asked for when the user wants to know. */
export class ClusterClassModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'clusterClass'>) {
    super();
  }

  get found(): ClusterClass | null {
    return this._found;
  }

  /** Why there is no answer. */
  get error(): ErrorBody | null {
    return this._error;
  }

  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Ask; only the answer to the newest question counts. */
  async ask(request: ClusterClassRequest): Promise<void> {
    const question = (this.newest = {});
    this._isBusy = true;
    this._error = null;
    this.tell();
    const answer = await this.client.clusterClass(request).then(
      found => ({ found, error: null }),
      reason => ({ found: null, error: errorBody(reason) })
    );
    if (question === this.newest && !this.isDisposed) {
      this._found = answer.found;
      this._error = answer.error;
      this._isBusy = false;
      this.tell();
    }
  }

  private newest: object | null = null;
  private _found: ClusterClass | null = null;
  private _error: ErrorBody | null = null;
  private _isBusy = false;
}

/** The options of a back end as an object, whether they were typed as JSON or chosen in a form. */
export function asOptions(value: JsonValue | undefined): JsonObject {
  return asObject(typeof value === 'string' ? parsed(value) : (value ?? {}));
}

/** What was chosen in a form: what differs from what the class takes by itself. */
export function chosenOptions(
  form: IParameterForm,
  data: JsonObject
): JsonObject {
  const properties = asObject(form.schema.properties ?? {});
  const said = Object.entries(data).flatMap(([name, value]) => {
    const isText = form.jsonFields.includes(name) && typeof value === 'string';
    const preset = asObject(properties[name] ?? {}).default;
    const isSame =
      value === undefined || value === '' || sameJson(value, preset ?? null);
    return isSame ? [] : [[name, isText ? parsed(value) : value]];
  });
  return Object.fromEntries(said) as JsonObject;
}

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text;
  }
}
