import type { ILayout, ILayoutRequest } from './graphLayout';
import {
  describeStructure,
  type IPlacedGraph,
  NODE_HEIGHT,
  NODE_WIDTH
} from './graphScene';
import type { ITaskGraph } from './taskGraph';

/** The part of a web worker that is used here. */
type LayoutWorker = Pick<
  Worker,
  'postMessage' | 'terminate' | 'onmessage' | 'onerror'
>;

/** A graph that waits for its layout. */
interface IPending {
  graph: ITaskGraph;
  structure: string;
}

/** Keeps the layout of a graph that changes. Graphs of the same structure have the same layout. */
export class GraphPlacer {
  /**
   * @param start - starts the web worker that lays out graphs
   * @param onPlaced - called with each new layout, and with the one before
   */
  constructor(
    private readonly start: () => LayoutWorker,
    private readonly onPlaced: (
      after: IPlacedGraph,
      before: IPlacedGraph | null
    ) => void
  ) {}

  /** The last graph that was laid out, with its newest data; null if there is none. */
  get placed(): IPlacedGraph | null {
    return this._placed;
  }

  /** Show a graph. While one is being laid out, the last one of those that follow waits. */
  update(graph: ITaskGraph): void {
    const structure = describeStructure(graph);
    const last = this.waiting ?? this.current;
    if (last?.structure === structure) {
      last.graph = graph;
    } else if (last) {
      this.waiting = { graph, structure };
    } else if (this._placed && structure === this.structure) {
      this._placed = { ...this._placed, graph };
    } else {
      void this.place({ graph, structure });
    }
  }

  dispose(): void {
    this.isDisposed = true;
    this.worker?.terminate();
  }

  private async place(pending: IPending): Promise<void> {
    this.current = pending;
    const layout = await this.layOut({
      count: pending.graph.nodes.length,
      edges: pending.graph.edges.map(({ from, to }) => [from, to] as const),
      width: NODE_WIDTH,
      height: NODE_HEIGHT
    });
    const next = this.waiting;
    this.waiting = null;
    this.current = null;
    if (this.isDisposed) {
      return;
    }
    const before = this._placed;
    this._placed = { graph: pending.graph, layout };
    this.structure = pending.structure;
    this.onPlaced(this._placed, before);
    if (next) {
      this.update(next.graph);
    }
  }

  /** Lay out in the worker, or here if the browser starts none, for example because of the page's security policy. */
  private async layOut(request: ILayoutRequest): Promise<ILayout> {
    try {
      this.worker ??= this.start();
      return await askWorker(this.worker, request);
    } catch (reason) {
      console.error('SatFlow: the web worker for graphs failed.', reason);
      this.worker?.terminate();
      this.worker = null;
      const { layOutGraph } = await import('./graphLayout');
      return layOutGraph(request);
    }
  }

  private worker: LayoutWorker | null = null;
  private _placed: IPlacedGraph | null = null;
  private structure = '';
  private current: IPending | null = null;
  private waiting: IPending | null = null;
  private isDisposed = false;
}

function askWorker(
  worker: LayoutWorker,
  request: ILayoutRequest
): Promise<ILayout> {
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<ILayout>) => resolve(data);
    worker.onerror = event => reject(new Error(event.message));
    worker.postMessage(request);
  });
}
