import type { ErrorBody, Preflight, PreflightRequest } from '../_api';
import type { IClient } from '../client';
import { errorBody } from '../errors';
import { Observable } from './observable';

/** The pre-flight report of a flow, requested before anything is packed and sent. */
export class PreflightModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'preflight'>) {
    super();
  }

  get report(): Preflight | null {
    return this._report;
  }

  /** The reason why there is no report. */
  get error(): ErrorBody | null {
    return this._error;
  }

  /** The current activity: checking the flow in the kernel, or testing it in a clean process. */
  get doing(): 'check' | 'rehearse' | null {
    return this._doing;
  }

  /** Request a report; only the answer to the latest request counts. */
  async ask(request: PreflightRequest): Promise<void> {
    const question = (this.newest = {});
    this._doing = request.rehearse ? 'rehearse' : 'check';
    this._error = null;
    this.tell();
    const answer = await this.client.preflight(request).then(
      report => ({ report, error: null }),
      reason => ({ report: null, error: errorBody(reason) })
    );
    if (question === this.newest && !this.isDisposed) {
      this._report = answer.report;
      this._error = answer.error;
      this._doing = null;
      this.tell();
    }
  }

  private newest: object | null = null;
  private _report: Preflight | null = null;
  private _error: ErrorBody | null = null;
  private _doing: 'check' | 'rehearse' | null = null;
}
