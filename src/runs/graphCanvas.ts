import { drawGraph, type IGraphScene } from './graphDrawing';
import { GraphPlacer } from './graphPlacer';
import {
  findAnchor,
  findNeighbor,
  findNode,
  findSame,
  GraphWindow,
  type IPlacedGraph,
  type IPoint,
  type ISize,
  NODE_HEIGHT
} from './graphScene';
import { followPointer } from './pointerDrag';
import { startGraphWorker } from './startGraphWorker';
import type { IGraphNode, ITaskGraph } from './taskGraph';
import { ZOOM_STEP } from './timeAxis';
import { fitCanvas, readPalette } from './timelineScene';

/** Milliseconds between two frames of a running graph, whose durations grow. */
const LIVE_INTERVAL = 1000;
/** Pixels by which keys move the graph. */
const PANS: Record<string, [number, number]> = {
  ArrowLeft: [80, 0],
  ArrowRight: [-80, 0],
  ArrowUp: [0, 80],
  ArrowDown: [0, -80]
};

/** The data of a graph. */
export interface IGraphData extends Pick<
  IGraphScene,
  'selected' | 'title' | 'note'
> {
  graph: ITaskGraph;
}

/** A node at which the user points, and its place in the box of the graph. */
export interface IGraphTarget extends IPoint {
  node: number;
  graph: ITaskGraph;
  /** True if it has the keyboard focus. */
  isFocused: boolean;
}

/** The actions of a graph. */
export interface IGraphActions {
  /** The pointer or the keyboard focus has moved to another node, or to none. */
  onTarget: (target: IGraphTarget | null) => void;
  onOpen: (node: IGraphNode) => void;
  onDeselect: () => void;
  /** A graph has a layout. */
  onLayout: (placed: IPlacedGraph) => void;
}

/** The canvas of a graph: lays it out and draws it, handles pointer and keys, and keeps the shown part. */
export class GraphCanvas {
  /**
   * @param box - the element that has the keyboard focus
   * @param canvas - the canvas in it
   * @param actions - called when the user does something
   */
  constructor(
    private readonly box: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly actions: IGraphActions
  ) {
    this.resizes.observe(box);
    const { signal } = this.ended;
    const options = { signal, passive: false };
    box.addEventListener('wheel', event => this.handleWheel(event), options);
    followPointer(
      box,
      {
        onMove: event => this.setHovered(this.nodeAt(event)),
        onDrag: (right, down) =>
          this.change(() => this.window.pan(right, down)),
        onClick: event => this.handleClick(event)
      },
      signal
    );
    box.addEventListener('pointerleave', () => this.setHovered(null), {
      signal
    });
    box.addEventListener('blur', () => this.actions.onTarget(null), { signal });
    this.timer = setInterval(
      () => this.isLive && box.offsetParent && this.requestFrame(),
      LIVE_INTERVAL
    );
  }

  /** Show other data. A graph of the same structure keeps its layout; another one is laid out first. */
  update(data: IGraphData): void {
    this.data = data;
    this.placer.update(data.graph);
    this.requestFrame();
  }

  /** Show the whole graph. */
  fit(): void {
    this.change(() => this.window.showAll());
  }

  /** Zoom in with a factor above 1, or out, around the node with the focus or the middle. */
  zoom(factor: number): void {
    const at =
      this.placed && this.active !== null
        ? this.window.toScreen(this.placed.layout.nodes[this.active])
        : { x: this.size.width / 2, y: this.size.height / 2 };
    this.change(() => this.window.zoom(factor, at));
  }

  /** Handle a key, and return whether it has a meaning here. */
  handleKey({
    key,
    shiftKey
  }: Pick<KeyboardEvent, 'key' | 'shiftKey'>): boolean {
    const pan = shiftKey ? (PANS[key] as [number, number] | undefined) : null;
    const next = this.placed && findNeighbor(this.placed, this.active, key);
    if (pan) {
      this.change(() => this.window.pan(...pan));
    } else if (this.placed && next !== null) {
      this.moveTo(next, this.placed);
    } else if (key in this.keys) {
      this.keys[key]();
    } else {
      return false;
    }
    return true;
  }

  dispose(): void {
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    this.resizes.disconnect();
    this.placer.dispose();
    this.ended.abort();
  }

  private readonly keys: Record<string, () => void> = {
    Enter: () => this.open(this.active),
    ' ': () => this.open(this.active),
    Escape: () => this.actions.onDeselect(),
    '+': () => this.zoom(ZOOM_STEP),
    '=': () => this.zoom(ZOOM_STEP),
    '-': () => this.zoom(1 / ZOOM_STEP),
    '0': () => this.fit()
  };

  /** Show a layout so that the node with the focus, or that in the middle, stays where it is. */
  private handlePlaced(after: IPlacedGraph, before: IPlacedGraph | null): void {
    this.hovered = null;
    if (before) {
      const { width, height } = this.size;
      const middle = this.window.toLayout({ x: width / 2, y: height / 2 });
      const anchor = findAnchor(before, after, this.active, middle);
      if (anchor && !this.window.isFitted) {
        const [from, to] = anchor.map(place => this.window.toScreen(place));
        this.window.pan(from.x - to.x, from.y - to.y);
      }
      this.active = findSame(before.graph, this.active, after.graph);
    }
    this.actions.onLayout(after);
    this.requestFrame();
  }

  private moveTo(node: number, { layout }: IPlacedGraph): void {
    this.active = node;
    this.window.reveal(layout.nodes[node], this.size);
    this.report(node, true);
    this.requestFrame();
  }

  private open(node: number | null): void {
    if (this.placed && node !== null) {
      this.actions.onOpen(this.placed.graph.nodes[node]);
    }
  }

  private report(node: number, isFocused: boolean): void {
    if (this.placed) {
      const { graph, layout } = this.placed;
      const { x, y } = layout.nodes[node];
      const place = this.window.toScreen({ x, y: y + NODE_HEIGHT + 8 });
      this.actions.onTarget({ node, graph, isFocused, ...place });
    }
  }

  private handleWheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      const factor = Math.exp(-Math.sign(event.deltaY) * 0.2);
      this.change(() => this.window.zoom(factor, this.place(event)));
    } else if (event.shiftKey) {
      this.change(() => this.window.pan(-event.deltaY - event.deltaX, 0));
    } else {
      return;
    }
    event.preventDefault();
  }

  private handleClick(event: PointerEvent): void {
    const node = this.nodeAt(event);
    this.active = node ?? this.active;
    this.open(node);
    this.requestFrame();
  }

  private setHovered(node: number | null): void {
    if (node !== this.hovered) {
      this.hovered = node;
      this.canvas.style.cursor = node === null ? '' : 'pointer';
      if (node === null) {
        this.actions.onTarget(null);
      } else {
        this.report(node, false);
      }
      this.requestFrame();
    }
  }

  private nodeAt(event: PointerEvent): number | null {
    const place = this.window.toLayout(this.place(event));
    return this.placed && findNode(this.placed, place);
  }

  private place({ clientX, clientY }: MouseEvent): IPoint {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  private change(apply: () => void): void {
    apply();
    this.actions.onTarget(null);
    this.requestFrame();
  }

  private get placed(): IPlacedGraph | null {
    return this.placer.placed;
  }

  private get size(): ISize {
    const { clientWidth: width, clientHeight: height } = this.box;
    return { width, height };
  }

  private get isLive(): boolean {
    const nodes = this.placed?.graph.nodes ?? [];
    return nodes.some(node => node.counts.has('running'));
  }

  private requestFrame(): void {
    if (this.frame === 0) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.draw();
      });
    }
  }

  private draw(): void {
    const { width, height } = this.size;
    if (!this.placed || !this.data || width === 0 || height === 0) {
      return;
    }
    this.window.fit(this.placed.layout, this.size);
    const active = this.box.matches(':focus-visible') ? this.active : null;
    const context = fitCanvas(this.canvas, width, height);
    if (context) {
      drawGraph(context, {
        ...this.data,
        placed: this.placed,
        scale: this.window.scale,
        origin: this.window.origin,
        width,
        height,
        active,
        emphasized: this.hovered ?? active,
        palette: readPalette(this.box)
      });
    }
  }

  private data: IGraphData | null = null;
  private active: number | null = null;
  private hovered: number | null = null;
  private frame = 0;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly window = new GraphWindow();
  private readonly ended = new AbortController();
  private readonly resizes = new ResizeObserver(() => this.requestFrame());
  private readonly placer = new GraphPlacer(startGraphWorker, (after, before) =>
    this.handlePlaced(after, before)
  );
}
