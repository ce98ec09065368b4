import { followPointer } from './pointerDrag';
import { TimeWindow, ZOOM_STEP } from './timeAxis';
import { drawTimeline } from './timelineDrawing';
import { TimelineFocus } from './timelineFocus';
import { findBounds, type ITimeRange } from './timelineRows';
import {
  AXIS_HEIGHT,
  findBar,
  fitCanvas,
  type IScene,
  type ITimelineActions,
  type ITimelineData,
  NO_DATA,
  readPalette,
  ROW_HEIGHT,
  rowAt,
  timeToX,
  xToTime
} from './timelineScene';

/** Part of the range by which a key moves it. */
const PAN_STEP = 0.15;
/** Milliseconds between two frames of growing bars. */
const LIVE_INTERVAL = 250;
const REDUCED_INTERVAL = 2000;

/**
 * The canvas of a timeline in a box that scrolls its rows: draws it, and handles pointer and keys. It keeps the shown range of
 * time itself, so that zooming and scrolling do not render the page again.
 */
export class TimelineCanvas {
  /**
   * @param box - the element that scrolls and has the keyboard focus
   * @param canvas - the canvas, which stays at the top of the box
   * @param actions - called when the user does something
   */
  constructor(
    private readonly box: HTMLElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly actions: ITimelineActions
  ) {
    this.resizes.observe(box);
    const options = { signal: this.ended.signal };
    box.addEventListener('scroll', () => this.leave(), options);
    box.addEventListener('wheel', event => this.handleWheel(event), {
      ...options,
      passive: false
    });
    followPointer(
      box,
      {
        onMove: event => this.point(event),
        onDrag: by => this.panPixels(-by),
        onClick: event => this.handleClick(event)
      },
      this.ended.signal
    );
    box.addEventListener('pointerleave', () => this.leave(), options);
    box.addEventListener('blur', () => this.leave(), options);
    const reduced = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.timer = setInterval(
      () => this.isLive && box.offsetParent && this.requestFrame(),
      reduced ? REDUCED_INTERVAL : LIVE_INTERVAL
    );
  }

  /** Show other data. The range of time stays, unless it is the whole one. */
  update(data: ITimelineData): void {
    this.data = data;
    this.focus.setRows(data.rows);
    this.isLive = data.rows.some(row => row.bars.some(bar => bar.to === null));
    this.requestFrame();
  }

  /** Show the whole time. */
  fit(): void {
    this.window.fit();
    this.requestFrame();
  }

  /**
   * Zoom in with a factor below 1, or out.
   *
   * @param at - the time that keeps its place, by default the start of the bar with the focus, or else the middle
   */
  zoom(factor: number, at = this.focus.bar?.from): void {
    this.window.zoom(this.findBounds(), factor, at);
    this.requestFrame();
  }

  /** Handle a key, and return whether it has a meaning here. */
  handleKey(event: Pick<KeyboardEvent, 'key' | 'shiftKey'>): boolean {
    const { key, shiftKey } = event;
    const side = key === 'ArrowLeft' ? -1 : key === 'ArrowRight' ? 1 : 0;
    const row = this.focus.row;
    if (shiftKey && side !== 0) {
      const { from, to } = this.window.range(this.findBounds());
      this.pan((to - from) * PAN_STEP * side);
    } else if (row?.kind === 'group' && side !== 0) {
      if (row.isOpen === side < 0) {
        this.actions.onToggle(row);
      }
    } else if (this.focus.move(key)) {
      this.showFocus();
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
    this.ended.abort();
  }

  private readonly keys: Record<string, () => void> = {
    Enter: () => this.activate(),
    ' ': () => this.activate(),
    Escape: () => this.actions.onSelect(null),
    '+': () => this.zoom(1 / ZOOM_STEP),
    '=': () => this.zoom(1 / ZOOM_STEP),
    '-': () => this.zoom(ZOOM_STEP),
    '0': () => this.fit()
  };

  private activate(): void {
    const { row, bar } = this.focus;
    if (row?.kind === 'group') {
      this.actions.onToggle(row);
    } else if (row) {
      this.actions.onSelect(bar);
    }
  }

  /** Scroll to the row with the focus and to its bar, and report them. */
  private showFocus(): void {
    const { index, row, bar } = this.focus;
    if (index === null || !row) {
      return;
    }
    this.scrollToRow(index);
    const { from, to } = this.window.range(this.findBounds());
    if (bar && (bar.from > to || bar.from < from)) {
      this.pan(bar.from - (from + to) / 2);
    }
    const scene = this.makeScene();
    const x = bar ? timeToX(scene, bar.from) : scene.labelWidth;
    this.actions.onTarget({
      row,
      bar,
      time: null,
      x: Math.max(scene.labelWidth, x),
      y: AXIS_HEIGHT + (index + 1) * ROW_HEIGHT - scene.scroll
    });
    this.requestFrame();
  }

  private scrollToRow(index: number): void {
    const top = index * ROW_HEIGHT;
    const space = this.box.clientHeight - AXIS_HEIGHT - ROW_HEIGHT;
    const least = Math.max(this.box.scrollTop, top - space);
    this.box.scrollTop = Math.min(top, least);
  }

  private handleWheel(event: WheelEvent): void {
    const scene = this.makeScene();
    const isAcross = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.ctrlKey || event.metaKey) {
      const time = xToTime(scene, this.place(event).x);
      this.zoom(Math.exp(Math.sign(event.deltaY) * 0.2), time);
    } else if (event.shiftKey || isAcross) {
      const delta = isAcross ? event.deltaX : event.deltaY;
      this.panPixels(delta);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** Open or close a group, or select the bar at the pointer. */
  private handleClick(event: PointerEvent): void {
    const { x, y } = this.place(event);
    const scene = this.makeScene();
    const index = rowAt(scene, y);
    const row = scene.rows[index];
    if (row) {
      const bar = findBar(scene, x, y);
      this.focus.moveTo(index, bar);
      if (row.kind === 'group') {
        this.actions.onToggle(row);
      } else {
        this.actions.onSelect(bar ?? (row.kind === 'run' ? row.bars[0] : null));
      }
      this.requestFrame();
    }
  }

  /** Report what is at the pointer. */
  private point(event: PointerEvent): void {
    const { x, y } = this.place(event);
    const scene = this.makeScene();
    const row = scene.rows[rowAt(scene, y)];
    const bar = findBar(scene, x, y);
    const isTarget =
      row && (bar || (row.kind === 'group' && x > scene.labelWidth));
    this.pointer = x > scene.labelWidth ? x : null;
    this.canvas.style.cursor = bar || row?.kind === 'group' ? 'pointer' : '';
    this.actions.onTarget(
      isTarget ? { row, bar, time: xToTime(scene, x), x, y: y + 14 } : null
    );
    this.requestFrame();
  }

  private leave(): void {
    this.pointer = null;
    this.actions.onTarget(null);
    this.requestFrame();
  }

  private panPixels(by: number): void {
    const scene = this.makeScene();
    this.pan(xToTime(scene, by) - xToTime(scene, 0));
  }

  private pan(by: number): void {
    this.window.pan(this.findBounds(), by);
    this.requestFrame();
  }

  private place(event: MouseEvent): { x: number; y: number } {
    const { left, top } = this.canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  private now(): number {
    return Date.now() + this.data.clockOffset;
  }

  private findBounds(): ITimeRange {
    const now = this.now();
    return findBounds(this.data.rows, now) ?? { from: now, to: now };
  }

  private makeScene(): IScene {
    const { rows, profiles, selected, suffix } = this.data;
    const width = this.box.clientWidth;
    return {
      rows,
      profiles,
      range: this.window.range(this.findBounds()),
      now: this.now(),
      isLive: this.isLive,
      width,
      height: this.box.clientHeight,
      labelWidth: Math.round(Math.min(260, width * 0.28)),
      scroll: this.box.scrollTop,
      activeRow: this.box.matches(':focus-visible') ? this.focus.index : null,
      selected,
      pointer: this.pointer,
      suffix,
      palette: readPalette(this.box)
    };
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
    const scene = this.makeScene();
    if (scene.width > 0 && scene.height > 0) {
      const context = fitCanvas(this.canvas, scene.width, scene.height);
      if (context) {
        drawTimeline(context, scene);
      }
    }
  }

  private data = NO_DATA;
  private readonly window = new TimeWindow();
  private readonly focus = new TimelineFocus();
  private isLive = false;
  private pointer: number | null = null;
  private frame = 0;
  private readonly ended = new AbortController();
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly resizes = new ResizeObserver(() => this.requestFrame());
}
