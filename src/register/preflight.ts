import type { ErrorBody, Preflight, PreflightRequest } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';

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
  get activity(): 'check' | 'rehearse' | null {
    return this._activity;
  }

  /** Request a report; only the answer to the latest request counts. */
  async load(request: PreflightRequest): Promise<void> {
    const question = (this.latestRequest = {});
    this._activity = request.rehearse ? 'rehearse' : 'check';
    this._error = null;
    this.emitChanged();
    const answer = await this.client.preflight(request).then(
      report => ({ report, error: null }),
      reason => ({ report: null, error: toErrorBody(reason) })
    );
    if (question === this.latestRequest && !this.isDisposed) {
      this._report = answer.report;
      this._error = answer.error;
      this._activity = null;
      this.emitChanged();
    }
  }

  private latestRequest: object | null = null;
  private _report: Preflight | null = null;
  private _error: ErrorBody | null = null;
  private _activity: 'check' | 'rehearse' | null = null;
}
