import React from 'react';

import { useTrans } from './translation';

/** One line of a chart: a value for each time, or null. */
export interface ISeries {
  label: string;
  values: (number | null)[];
  /** "main" is filled below the line, "part" is drawn within it, "aim" is the target. */
  kind: 'main' | 'part' | 'aim';
  /** True if the line changes in steps, as counts do. */
  isStepped?: boolean;
}

/** An event at a time within the chart. */
export interface IChartEvent {
  time: number;
  label: string;
}

export interface IChartProps {
  label: string;
  times: number[];
  series: ISeries[];
  events: IChartEvent[];
  /** Formats a value. */
  format: (value: number) => string;
  /** The unit of the values, unless they are formatted with it. */
  unit?: string;
}

const WIDTH = 320;
const HEIGHT = 80;
/** Space above the highest value, for its label. */
const HEADROOM = 18;
const GRID_STEP = 5 * 60_000;
/** Part of the width next to each end of the time axis that its label needs. */
const END_LABEL = 0.2;

/** Quantities over time on one scale, with their newest values and the events of that time. */
export function Chart(props: IChartProps): JSX.Element {
  const { label, times, series, format, unit } = props;
  const top = Math.max(1e-9, ...series.flatMap(one => one.values.map(Number)));
  const newest = series.map(one => `${one.label} ${newestValue(one, format)}`);
  return (
    <figure className="jp-Satflow-chart">
      <figcaption>
        <span>{label}</span>
        {series.map(one => (
          <span key={one.label} className={`jp-Satflow-key jp-mod-${one.kind}`}>
            {one.label} <strong>{newestValue(one, format)}</strong>
          </span>
        ))}
      </figcaption>
      <div className="jp-Satflow-plot">
        <span className="jp-Satflow-scale">
          {unit ? `${format(top)} ${unit}` : format(top)}
        </span>
        <span className="jp-Satflow-scale jp-mod-zero">0</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${label}: ${newest.join(', ')}`}
        >
          <TimeGrid times={times} />
          {series.map(one => (
            <Line key={one.label} series={one} times={times} top={top} />
          ))}
          <EventLines {...props} />
        </svg>
      </div>
      <TimeAxis times={times} />
    </figure>
  );
}

function Line(props: {
  series: ISeries;
  times: number[];
  top: number;
}): JSX.Element {
  const { series, times, top } = props;
  const points = linePoints(series, times, top);
  const first = points[0]?.split(',')[0] ?? 0;
  return (
    <g className={`jp-mod-${series.kind}`}>
      {series.kind !== 'aim' && points.length > 1 && (
        <path
          className="jp-Satflow-area"
          d={`M${first},${HEIGHT} L${points.join(' L')} L${WIDTH},${HEIGHT} Z`}
        />
      )}
      <polyline
        points={points.join(' ')}
        vectorEffect="non-scaling-stroke"
        data-points={points.length}
      />
    </g>
  );
}

function linePoints(series: ISeries, times: number[], top: number): string[] {
  const across = timeScale(times);
  const high = (value: number) => valueToY(value / top).toFixed(1);
  return series.values.flatMap((value, index) => {
    if (value === null) {
      return [];
    }
    const point = `${across(times[index])},${high(value)}`;
    const before = series.values[index - 1] ?? null;
    return series.isStepped && before !== null
      ? [`${across(times[index])},${high(before)}`, point]
      : [point];
  });
}

/** The local times at the ends of the time axis, and those of the grid's lines between them. */
function TimeAxis({ times }: { times: number[] }): JSX.Element | null {
  const trans = useTrans();
  const [from, to] = [times[0] ?? 0, times[times.length - 1] ?? 0];
  if (to <= from) {
    return null;
  }
  const share = (time: number) => (time - from) / (to - from);
  const between = gridTimes(times).filter(
    time => share(time) > END_LABEL && share(time) < 1 - END_LABEL
  );
  return (
    <div
      className="jp-Satflow-timeAxis"
      title={trans.__('Local time')}
      data-testid="satflow-time-axis"
    >
      <span>{formatTime(from, true)}</span>
      {between.map(time => (
        <span key={time} style={{ left: `${share(time) * 100}%` }}>
          {formatTime(time, false)}
        </span>
      ))}
      <span>{formatTime(to, true)}</span>
    </div>
  );
}

function formatTime(time: number, hasSeconds: boolean): string {
  return new Intl.DateTimeFormat(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    ...(hasSeconds ? { second: '2-digit' } : {}),
    hourCycle: 'h23'
  }).format(time);
}

/** Return every fifth minute between the first and the last time. */
function gridTimes(times: number[]): number[] {
  const [from, to] = [times[0] ?? 0, times[times.length - 1] ?? 0];
  const first = Math.ceil(from / GRID_STEP) * GRID_STEP;
  const count = Math.max(0, Math.ceil((to - first) / GRID_STEP));
  return Array.from({ length: count }, (_, index) => first + index * GRID_STEP);
}

/** Thin lines at every fifth minute, so that adjacent charts can be compared. */
function TimeGrid({ times }: { times: number[] }): JSX.Element {
  const across = timeScale(times);
  return (
    <g className="jp-mod-minute">
      {gridTimes(times).map(time => (
        <VerticalLine key={time} at={across(time)} />
      ))}
    </g>
  );
}

function EventLines({ events: marks, times }: IChartProps): JSX.Element {
  const across = timeScale(times);
  const [from, to] = [times[0] ?? 0, times[times.length - 1] ?? 0];
  const shown = marks.filter(({ time }) => time >= from && time <= to);
  return (
    <g className="jp-mod-mark">
      {shown.map(({ time, label }, index) => (
        <VerticalLine key={index} at={across(time)} title={label} />
      ))}
    </g>
  );
}

function VerticalLine(props: { at: string; title?: string }): JSX.Element {
  const { at, title } = props;
  return (
    <line x1={at} x2={at} y1={0} y2={HEIGHT} vectorEffect="non-scaling-stroke">
      {title && <title>{title}</title>}
    </line>
  );
}

/** Return a function that maps a time to its horizontal position. */
function timeScale(times: number[]): (time: number) => string {
  const from = times[0] ?? 0;
  const span = Math.max(1, (times[times.length - 1] ?? 0) - from);
  return time => (((time - from) / span) * WIDTH).toFixed(1);
}

function valueToY(share: number): number {
  return HEIGHT - 2 - share * (HEIGHT - 2 - HEADROOM);
}

function newestValue(
  series: ISeries,
  words: (value: number) => string
): string {
  const last = series.values[series.values.length - 1] ?? null;
  return last === null ? '–' : words(last);
}
