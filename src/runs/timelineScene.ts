import {
  type BarKind,
  firstBarAfter,
  type IBar,
  type IProfile,
  type ITimelineRow,
  type ITimeRange
} from './timelineRows';

export const ROW_HEIGHT = 24;
export const AXIS_HEIGHT = 24;

/** Distance in pixels within which the pointer is at a bar. */
const REACH = 4;

/** The theme's colors and fonts. */
export interface IPalette {
  text: string;
  mutedText: string;
  background: string;
  line: string;
  grid: string;
  active: string;
  font: string;
  kinds: Record<BarKind, string>;
}

/** Everything that is drawn in one frame. */
export interface IScene {
  rows: readonly ITimelineRow[];
  profiles: ReadonlyMap<string, IProfile>;
  range: ITimeRange;
  now: number;
  /** True if a bar is still growing. */
  isLive: boolean;
  /** Size of the canvas in CSS pixels. */
  width: number;
  height: number;
  /** Width of the column with the labels. */
  labelWidth: number;
  /** Number of pixels by which the rows are scrolled. */
  scroll: number;
  /** Position of the row with the keyboard focus, or null. */
  activeRow: number | null;
  /** The id of the selected task run, or null. */
  selected: string | null;
  /** Position of the pointer's time in pixels, or null. */
  pointer: number | null;
  /** The text at the end of a row's label, such as "3/12". */
  suffix: (row: ITimelineRow) => string;
  palette: IPalette;
}

/** The data of a timeline. */
export interface ITimelineData {
  rows: readonly ITimelineRow[];
  /** The profiles of the rows of groups, by key. */
  profiles: ReadonlyMap<string, IProfile>;
  /** The id of the selected task run, or null. */
  selected: string | null;
  /** Milliseconds by which the server's clock is ahead of the browser's. */
  clockOffset: number;
  suffix: (row: ITimelineRow) => string;
}

/** The data of a timeline without rows. */
export const NO_DATA: ITimelineData = {
  rows: [],
  profiles: new Map(),
  selected: null,
  clockOffset: 0,
  suffix: () => ''
};

/** A row or bar that the user points at, and its place in the box of the timeline. */
export interface ITimelineTarget {
  row: ITimelineRow;
  bar: IBar | null;
  /** The time at the pointer, or null if the target has the keyboard focus. */
  time: number | null;
  x: number;
  y: number;
}

/** The actions of a timeline. */
export interface ITimelineActions {
  /** The pointer or the keyboard focus has moved to another target, or to none. */
  onTarget: (target: ITimelineTarget | null) => void;
  onToggle: (row: ITimelineRow) => void;
  onSelect: (bar: IBar | null) => void;
}

/** Read the theme's colors from an element. */
export function readPalette(node: Element): IPalette {
  const style = getComputedStyle(node);
  const read = (name: string) => style.getPropertyValue(`--jp-${name}`).trim();
  return {
    text: read('ui-font-color1'),
    mutedText: read('ui-font-color2'),
    background: read('layout-color1'),
    line: read('border-color1'),
    grid: read('border-color2'),
    active: read('brand-color1'),
    font: style.fontFamily || 'sans-serif',
    kinds: {
      waiting: read('ui-font-color2'),
      running: read('info-color1'),
      completed: read('success-color1'),
      cached: read('success-color1'),
      failed: read('error-color1'),
      crashed: read('error-color1'),
      cancelled: read('warn-color1')
    }
  };
}

/** Return the horizontal position of a time. */
export function timeToX(
  scene: Pick<IScene, 'range' | 'width' | 'labelWidth'>,
  time: number
): number {
  const { range, width, labelWidth } = scene;
  const share = (time - range.from) / (range.to - range.from);
  return labelWidth + share * (width - labelWidth);
}

/** Return the time at a horizontal position. */
export function xToTime(
  scene: Pick<IScene, 'range' | 'width' | 'labelWidth'>,
  x: number
): number {
  const { range, width, labelWidth } = scene;
  const share = (x - labelWidth) / Math.max(1, width - labelWidth);
  return range.from + share * (range.to - range.from);
}

/** Return the bar at a position, or null. A short bar counts as a few pixels wide. */
export function findBar(scene: IScene, x: number, y: number): IBar | null {
  const row = scene.rows[rowAt(scene, y)];
  if (!row || x < scene.labelWidth || row.kind === 'group') {
    return null;
  }
  const time = xToTime(scene, x - REACH);
  const bars = row.bars;
  let best: IBar | null = null;
  for (let index = firstBarAfter(bars, time); index < bars.length; index += 1) {
    const bar = bars[index];
    if (timeToX(scene, bar.from) > x + REACH) {
      break;
    }
    best = bar;
    if (timeToX(scene, bar.to ?? scene.now) >= x) {
      break;
    }
  }
  return best;
}

/** Return the position of the row at a height, -1 above the rows. */
export function rowAt({ scroll }: Pick<IScene, 'scroll'>, y: number): number {
  return y < AXIS_HEIGHT
    ? -1
    : Math.floor((y - AXIS_HEIGHT + scroll) / ROW_HEIGHT);
}

/** Give a canvas a size in CSS pixels, and return its context, scaled to them. */
export function fitCanvas(
  canvas: HTMLCanvasElement,
  width: number,
  height: number
): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0] || canvas.height !== size[1]) {
    [canvas.width, canvas.height] = size;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}
