import React from 'react';

export interface ISparklineProps {
  label: string;
  /** The newest value, formatted. */
  words: string;
  values: number[];
}

const WIDTH = 240;
const HEIGHT = 40;

/** A quantity over time, scaled to its maximum. */
export function Sparkline(props: ISparklineProps): JSX.Element {
  const { label, words, values } = props;
  return (
    <figure className="jp-Satflow-sparkline">
      <figcaption>
        {label} <strong>{words}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${label}: ${words}`}
      >
        <path className="jp-Satflow-area" d={area(values)} />
        <polyline points={points(values)} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

function points(values: number[]): string {
  const top = Math.max(...values, 1e-9);
  const step = WIDTH / Math.max(1, values.length - 1);
  return values
    .map((value, index) => {
      const y = HEIGHT - 2 - (value / top) * (HEIGHT - 4);
      return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
    })
    .join(' ');
}

function area(values: number[]): string {
  return values.length > 1
    ? `M0,${HEIGHT} L${points(values).replace(/ /g, ' L')} L${WIDTH},${HEIGHT} Z`
    : '';
}
