import React from 'react';

export interface IMeterProps {
  label: string;
  value: number;
  /** The value of a full bar; if it is 0, there is no limit and the bar stays empty. */
  limit: number;
  /** The formatted value. */
  text: string;
}

/** A quantity as a bar with its value. */
export function Meter({ label, value, limit, text }: IMeterProps): JSX.Element {
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
        aria-valuetext={text}
      >
        <span style={{ width: `${share * 100}%` }} />
      </span>
      <span>{text}</span>
    </div>
  );
}
