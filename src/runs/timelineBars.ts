import type { BarKind, IBar } from './timelineRows';
import {
  fitCanvas,
  type IPalette,
  type IScene,
  readPalette
} from './timelineScene';

/** Height of a bar in a row. */
export const BAR_HEIGHT = 14;
/** Width of a bar of any length. */
export const MIN_WIDTH = 2;
/** Width from which a bar has a pattern; a narrower one has only its color. */
const PATTERN_WIDTH = 5;
/** Width from which the sign of the state is drawn on the bar: it covers at most half of the pattern. */
const SIGN_WIDTH = 30;
const SWATCH_WIDTH = 22;

/** Signs of the states, so that color is never the only one. */
export const SIGNS: Record<BarKind, string> = {
  waiting: '◌',
  running: '▸',
  completed: '✓',
  cached: '◆',
  failed: '✕',
  crashed: '!',
  cancelled: '■'
};

/** The place of a bar in pixels; all bars have the same height. */
interface IBox {
  x: number;
  y: number;
  width: number;
}

/** Draw a task run between two horizontal positions, with the pattern and the sign of its state. */
export function drawBar(
  context: CanvasRenderingContext2D,
  scene: IScene,
  bar: IBar,
  box: IBox
): void {
  const { palette } = scene;
  const { x, y, width } = box;
  const fill = bar.from === bar.to ? drawMoment : fillBar;
  fill(context, bar.kind, box, palette);
  if (bar.run.id === scene.selected) {
    context.strokeStyle = palette.text;
    context.lineWidth = 2;
    context.strokeRect(x - 2, y - 2, width + 4, BAR_HEIGHT + 4);
  }
  drawBarText(context, scene, bar, box);
}

/** Draw a diamond for a task run without length: it waits, never started, or took no time. */
function drawMoment(
  context: CanvasRenderingContext2D,
  kind: BarKind,
  { x, y }: IBox,
  { kinds, background }: IPalette
): void {
  const color = kinds[kind];
  const radius = BAR_HEIGHT / 2 - 1;
  const middle = y + BAR_HEIGHT / 2;
  context.beginPath();
  context.moveTo(x - radius, middle);
  context.lineTo(x, middle - radius);
  context.lineTo(x + radius, middle);
  context.lineTo(x, middle + radius);
  context.closePath();
  const isHollow = kind === 'waiting' || kind === 'cached';
  context.fillStyle = isHollow ? background : color;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.setLineDash(kind === 'waiting' ? [2, 2] : []);
  context.fill();
  context.stroke();
  context.setLineDash([]);
}

/** Draw a bar with the pattern of its kind. */
export function fillBar(
  context: CanvasRenderingContext2D,
  kind: BarKind,
  { x, y, width }: IBox,
  { kinds, background }: IPalette
): void {
  const color = kinds[kind];
  context.fillStyle = color;
  if (width < PATTERN_WIDTH) {
    context.fillRect(x, y, width, BAR_HEIGHT);
    return;
  }
  const isOutlined = kind !== 'completed';
  const isHollow = kind === 'cached' || kind === 'waiting';
  if (isHollow) {
    context.fillStyle = background;
  }
  context.fillRect(x, y, width, BAR_HEIGHT);
  if (kind !== 'completed' && !isHollow) {
    context.fillStyle = makePattern(context, kind, background);
    context.fillRect(x, y, width, BAR_HEIGHT);
  }
  if (isOutlined) {
    context.strokeStyle = color;
    context.lineWidth = 1.5;
    context.setLineDash(kind === 'waiting' ? [3, 2] : []);
    context.strokeRect(x + 0.75, y + 0.75, width - 1.5, BAR_HEIGHT - 1.5);
    context.setLineDash([]);
  }
}

const patterns = new Map<string, CanvasPattern>();

/** Return stripes for running, crossed lines for failed and crashed, dots for cancelled task runs. */
function makePattern(
  context: CanvasRenderingContext2D,
  kind: BarKind,
  color: string
): CanvasPattern | string {
  const key = `${kind} ${color}`;
  let pattern = patterns.get(key) ?? null;
  if (!pattern) {
    pattern = context.createPattern(drawTile(kind, color), 'repeat');
    if (pattern) {
      patterns.set(key, pattern);
    }
  }
  return pattern ?? 'transparent';
}

function drawTile(kind: BarKind, color: string): HTMLCanvasElement {
  const size = 6;
  const tile = document.createElement('canvas');
  tile.width = size;
  tile.height = size;
  const context = tile.getContext('2d');
  if (context) {
    context.strokeStyle = color;
    context.globalAlpha = 0.75;
    context.lineWidth = kind === 'running' ? 1.5 : 1.2;
    context.beginPath();
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift, size);
      context.lineTo(shift + size, 0);
      if (kind === 'failed' || kind === 'crashed') {
        context.moveTo(shift, 0);
        context.lineTo(shift + size, size);
      }
    }
    if (kind === 'cancelled') {
      context.fillStyle = color;
      context.fillRect(1, 1, 2, 2);
    } else {
      context.stroke();
    }
  }
  return tile;
}

/** Draw the sign of the state, and the name of the task run where it fits. */
function drawBarText(
  context: CanvasRenderingContext2D,
  scene: IScene,
  bar: IBar,
  { x, y, width: whole }: IBox
): void {
  const from = Math.max(x, scene.labelWidth);
  const to = x + whole;
  const width = to - from;
  const isBad = bar.kind === 'failed' || bar.kind === 'crashed';
  const attempts = bar.run.attempts > 1 ? ` ↻${bar.run.attempts}` : '';
  const sign = `${SIGNS[bar.kind]}${attempts}`;
  const middle = y + BAR_HEIGHT / 2 + 0.5;
  context.textAlign = 'left';
  if (width >= SIGN_WIDTH + (attempts ? 20 : 0)) {
    drawTag(context, scene, sign, from + 2, middle);
  } else if (isBad && width > 5) {
    context.fillStyle = scene.palette.text;
    context.fillText(SIGNS[bar.kind], to + 3, middle);
  }
}

/** Draw a sign on a patch of the background, so that it is legible on every pattern. */
function drawTag(
  context: CanvasRenderingContext2D,
  { palette }: IScene,
  text: string,
  x: number,
  middle: number
): void {
  context.fillStyle = palette.background;
  const width = context.measureText(text).width + 4;
  context.fillRect(x, middle - BAR_HEIGHT / 2 + 2, width, BAR_HEIGHT - 5);
  context.fillStyle = palette.text;
  context.fillText(text, x + 2, middle);
}

/** Draw a sample of a bar for the legend. */
export function drawSwatch(canvas: HTMLCanvasElement, kind: BarKind): void {
  const context = fitCanvas(canvas, SWATCH_WIDTH, BAR_HEIGHT);
  if (context) {
    const box = { x: 0, y: 0, width: SWATCH_WIDTH };
    context.clearRect(0, 0, SWATCH_WIDTH, BAR_HEIGHT);
    fillBar(context, kind, box, readPalette(canvas));
  }
}
