import React from 'react';

export interface ISparklineProps {
  label: string;
  /** The newest value, formatted. */
  text: string;
  values: number[];
}

const WIDTH = 240;
const HEIGHT = 40;

/** A quantity over time, scaled to its maximum. */
export function Sparkline(props: ISparklineProps): JSX.Element {
  const { label, text, values } = props;
  return (
    <figure className="jp-Satflow-sparkline">
      <figcaption>
        {label} <strong>{text}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${text}`}
      >
        <path className="jp-Satflow-area" d={areaPath(values)} />
        <polyline
          points={linePoints(values)}
          vectorEffect="non-scaling-stroke"
        />
      </svg>
    </figure>
  );
}

function linePoints(values: number[]): string {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, index) => {
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

function areaPath(values: number[]): string {
  return values.length > 1
    ? `M0,${HEIGHT} L${linePoints(values).replace(/ /g, ' L')} L${WIDTH},${HEIGHT} Z`
    : '';
}
