import { formatTick, makeTicks } from './timeAxis';
import { BAR_HEIGHT, drawBar, MIN_WIDTH, SIGNS } from './timelineBars';
import {
  firstBarAfter,
  type IProfile,
  type ITimelineRow
} from './timelineRows';
import { AXIS_HEIGHT, type IScene, ROW_HEIGHT, timeToX } from './timelineScene';

/** Distance between two ticks. */
const TICK_DISTANCE = 90;

/** Draw the visible rows. The cost depends on what is visible, not on the number of rows. */
export function drawTimeline(
  context: CanvasRenderingContext2D,
  scene: IScene
): void {
  const { width, height, rows, scroll, palette } = scene;
  context.clearRect(0, 0, width, height);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  context.font = `12px ${palette.font}`;
  context.textBaseline = 'middle';
  drawGrid(context, scene);
  const first = Math.max(0, Math.floor(scroll / ROW_HEIGHT));
  const last = Math.min(
    rows.length,
    Math.ceil((scroll + height - AXIS_HEIGHT) / ROW_HEIGHT)
  );
  context.save();
  context.beginPath();
  context.rect(0, AXIS_HEIGHT, width, height - AXIS_HEIGHT);
  context.clip();
  for (let index = first; index < last; index += 1) {
    drawRow(context, scene, index, AXIS_HEIGHT + index * ROW_HEIGHT - scroll);
  }
  context.restore();
  drawNow(context, scene);
  drawPointer(context, scene);
}

function drawGrid(context: CanvasRenderingContext2D, scene: IScene): void {
  const { range, width, height, labelWidth, palette } = scene;
  const ticks = makeTicks(range, (width - labelWidth) / TICK_DISTANCE);
  context.textAlign = 'left';
  context.fillStyle = palette.mutedText;
  context.strokeStyle = palette.grid;
  context.lineWidth = 1;
  context.beginPath();
  for (const time of ticks.times) {
    const x = Math.round(timeToX(scene, time)) + 0.5;
    if (x > labelWidth) {
      context.moveTo(x, 4);
      context.lineTo(x, height);
      const label = formatTick(time, ticks.step);
      if (x + 4 + context.measureText(label).width <= width) {
        context.fillText(label, x + 4, AXIS_HEIGHT / 2);
      }
    }
  }
  context.stroke();
  context.strokeStyle = palette.line;
  context.beginPath();
  context.moveTo(0, AXIS_HEIGHT - 0.5);
  context.lineTo(width, AXIS_HEIGHT - 0.5);
  context.moveTo(labelWidth - 0.5, 0);
  context.lineTo(labelWidth - 0.5, height);
  context.stroke();
}

function drawRow(
  context: CanvasRenderingContext2D,
  scene: IScene,
  index: number,
  top: number
): void {
  const { rows, width, labelWidth, palette } = scene;
  const row = rows[index];
  context.save();
  context.beginPath();
  context.rect(labelWidth, top, width - labelWidth, ROW_HEIGHT);
  context.clip();
  const profile = scene.profiles.get(row.key);
  if (row.kind === 'group' && profile) {
    drawProfile(context, scene, row, profile, top);
  } else {
    drawBars(context, scene, row, top);
  }
  context.restore();
  drawLabel(context, scene, row, top);
  if (index === scene.activeRow) {
    context.strokeStyle = palette.active;
    context.lineWidth = 2;
    context.strokeRect(1, top + 1, width - 2, ROW_HEIGHT - 2);
  }
}

function drawLabel(
  context: CanvasRenderingContext2D,
  scene: IScene,
  row: ITimelineRow,
  top: number
): void {
  const { labelWidth, palette } = scene;
  const middle = top + ROW_HEIGHT / 2;
  const suffix = scene.suffix(row);
  const indent = row.isChild ? 30 : row.kind === 'group' ? 22 : 8;
  if (row.kind === 'group') {
    drawTwisty(context, 13, middle, row.isOpen, palette.mutedText);
  }
  context.textAlign = 'right';
  context.fillStyle = palette.mutedText;
  context.fillText(suffix, labelWidth - 8, middle);
  const space =
    labelWidth - indent - 16 - (suffix ? context.measureText(suffix).width : 0);
  context.textAlign = 'left';
  context.fillStyle = palette.text;
  context.fillText(shorten(context, row.label, space), indent, middle);
}

function drawTwisty(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  isOpen: boolean,
  color: string
): void {
  context.fillStyle = color;
  context.beginPath();
  if (isOpen) {
    context.moveTo(x - 4, y - 2);
    context.lineTo(x + 4, y - 2);
    context.lineTo(x, y + 3);
  } else {
    context.moveTo(x - 2, y - 4);
    context.lineTo(x + 3, y);
    context.lineTo(x - 2, y + 4);
  }
  context.fill();
}

function drawBars(
  context: CanvasRenderingContext2D,
  scene: IScene,
  { bars, kind: rowKind }: ITimelineRow,
  top: number
): void {
  const y = top + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  let covered = -Infinity;
  for (
    let index = firstBarAfter(bars, scene.range.from);
    index < bars.length && bars[index].from <= scene.range.to;
    index += 1
  ) {
    const bar = bars[index];
    const x = timeToX(scene, bar.from);
    const end = timeToX(scene, Math.max(bar.from, bar.to ?? scene.now));
    // Bars that are narrower than a pixel are drawn once per pixel, except failures.
    const isHidden = end <= covered && bar.kind === 'completed';
    if (!isHidden) {
      const gap = rowKind === 'lane' && end - x > 4 ? 1 : 0;
      const width = Math.max(MIN_WIDTH, end - x - gap);
      drawBar(context, scene, bar, { x, y, width });
      covered = Math.max(covered, x + 1);
    }
  }
}

/** Draw how many runs of a task ran at each time, and its failures. */
function drawProfile(
  context: CanvasRenderingContext2D,
  scene: IScene,
  row: ITimelineRow,
  { times, counts, peak }: IProfile,
  top: number
): void {
  const { palette, now } = scene;
  const base = top + ROW_HEIGHT - 3;
  const scale = (ROW_HEIGHT - 7) / Math.max(1, peak);
  const isRunning = row.bars.some(bar => bar.kind === 'running');
  const color = palette.kinds[isRunning ? 'running' : 'completed'];
  context.beginPath();
  context.moveTo(timeToX(scene, times[0] ?? now), base);
  let pixel = -Infinity;
  let highest = 0;
  for (let index = 0; index < times.length; index += 1) {
    const x = Math.round(timeToX(scene, times[index]));
    const before = index > 0 ? counts[index - 1] : 0;
    if (x !== pixel) {
      context.lineTo(x, base - before * scale);
      pixel = x;
      highest = 0;
    }
    // Of several steps in one pixel the highest one is drawn.
    highest = Math.max(highest, counts[index]);
    context.lineTo(x, base - highest * scale);
    context.lineTo(x, base - counts[index] * scale);
  }
  const left = counts[counts.length - 1] ?? 0;
  const last = times[times.length - 1] ?? now;
  const end = left > 0 ? Math.max(now, last) : last;
  context.lineTo(timeToX(scene, end), base - left * scale);
  context.lineTo(timeToX(scene, end), base);
  context.closePath();
  context.globalAlpha = 0.45;
  context.fillStyle = color;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = 1.2;
  context.stroke();
  drawFailures(context, scene, row, top);
}

function drawFailures(
  context: CanvasRenderingContext2D,
  scene: IScene,
  { bars }: ITimelineRow,
  top: number
): void {
  context.textAlign = 'center';
  let covered = -Infinity;
  for (const bar of bars) {
    if (bar.kind === 'failed' || bar.kind === 'crashed') {
      const x = timeToX(scene, bar.to ?? scene.now);
      if (x > covered) {
        const y = top + ROW_HEIGHT / 2;
        context.fillStyle = scene.palette.background;
        context.beginPath();
        context.arc(x, y, 7, 0, 2 * Math.PI);
        context.fill();
        context.fillStyle = scene.palette.kinds.failed;
        context.font = `bold 12px ${scene.palette.font}`;
        context.fillText(SIGNS[bar.kind], x, y + 0.5);
        context.font = `12px ${scene.palette.font}`;
        covered = x + 6;
      }
    }
  }
}

function drawNow(context: CanvasRenderingContext2D, scene: IScene): void {
  if (scene.isLive) {
    drawVertical(context, scene, timeToX(scene, scene.now), [4, 3]);
  }
}

function drawPointer(context: CanvasRenderingContext2D, scene: IScene): void {
  if (scene.pointer !== null && scene.pointer > scene.labelWidth) {
    drawVertical(context, scene, scene.pointer, []);
  }
}

function drawVertical(
  context: CanvasRenderingContext2D,
  scene: IScene,
  x: number,
  dash: number[]
): void {
  if (x < scene.labelWidth) {
    return;
  }
  context.strokeStyle = scene.palette.mutedText;
  context.lineWidth = 1;
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(Math.round(x) + 0.5, AXIS_HEIGHT);
  context.lineTo(Math.round(x) + 0.5, scene.height);
  context.stroke();
  context.setLineDash([]);
}

/** Shorten a text with an ellipsis to a number of pixels. */
export function shorten(
  context: CanvasRenderingContext2D,
  text: string,
  space: number
): string {
  if (context.measureText(text).width <= space) {
    return text;
  }
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= space) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return `${text.slice(0, low)}…`;
}
