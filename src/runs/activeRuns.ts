import type { Run } from '../_api';
import { Observable } from '../components/observable';
import type { StackModel } from '../stack/stack';
import type { RunsModel } from './runs';

/** The runs that have not ended, followed while the stack is ready. */
export class ActiveRuns extends Observable {
  /**
   * @param runs - a model with the filter `active`, which this object owns
   * @param stack - the stack, which is neither started nor checked
   */
  constructor(
    private readonly runs: Pick<
      RunsModel,
      'changed' | 'items' | 'watch' | 'unwatch' | 'dispose'
    >,
    private readonly stack: Pick<StackModel, 'changed' | 'isReady'>
  ) {
    super();
    runs.changed.connect(this.emitChanged, this);
    stack.changed.connect(this.onStack, this);
    this.onStack();
  }

  get items(): readonly Run[] {
    return this.stack.isReady ? this.runs.items : [];
  }

  dispose(): void {
    this.stack.changed.disconnect(this.onStack, this);
    this.runs.dispose();
    super.dispose();
  }

  private onStack(): void {
    if (this.stack.isReady !== this.isWatching) {
      this.isWatching = this.stack.isReady;
      if (this.isWatching) {
        this.runs.watch();
      } else {
        this.runs.unwatch();
      }
      this.emitChanged();
    }
  }

  private isWatching = false;
}
