import React from 'react';

export interface IMeterProps {
  label: string;
  value: number;
  /** What the whole bar stands for; 0 where there is no limit, then no bar is filled. */
  limit: number;
  /** The value as it is read. */
  words: string;
}

/** A quantity as a bar with its number. */
export function Meter({
  label,
  value,
  limit,
  words
}: IMeterProps): JSX.Element {
  const share = limit > 0 ? Math.min(1, value / limit) : 0;
  return (
    <div className="jp-Satflow-meter">
      <span>{label}</span>
      <span
        className={`jp-Satflow-bar${share > 0.9 ? ' jp-mod-warning' : ''}`}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
        aria-valuetext={words}
      >
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span>{words}</span>
    </div>
  );
}
