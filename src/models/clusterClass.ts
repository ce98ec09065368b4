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

/** The arguments of a cluster class, loaded when the user asks for them. */
export class ClusterClassModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'clusterClass'>) {
    super();
  }

  get found(): ClusterClass | null {
    return this._found;
  }

  /** The reason why the arguments could not be loaded. */
  get error(): ErrorBody | null {
    return this._error;
  }

  get isBusy(): boolean {
    return this._isBusy;
  }

  /** Request the arguments; only the answer to the latest request counts. */
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

/** Return the options of a cluster provider as an object, whether the user typed JSON or filled in a form. */
export function asOptions(value: JsonValue | undefined): JsonObject {
  return asObject(typeof value === 'string' ? parsed(value) : (value ?? {}));
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
