import React from 'react';

import type { ClusterWorker } from '../_api';
import { useTrans } from '../components/translation';
import { formatBytes } from '../format';

export interface IMemoryMeterProps {
  workers: Pick<
    ClusterWorker,
    'memory' | 'managed' | 'spilled' | 'memory_limit'
  >[];
}

/** Total memory of workers: task results, other process memory, the limit, and the data on disk. */
export function MemoryMeter(props: IMemoryMeterProps): JSX.Element {
  const trans = useTrans();
  const { workers } = props;
  const sum = (name: keyof (typeof workers)[0]) =>
    workers.reduce((total, worker) => total + worker[name], 0);
  const [memory, limit, spilled] = [
    sum('memory'),
    sum('memory_limit'),
    sum('spilled')
  ];
  const managed = Math.min(memory, sum('managed'));
  const share = (value: number) => (limit > 0 ? Math.min(1, value / limit) : 0);
  const whole = limit
    ? `${formatBytes(memory)} / ${formatBytes(limit)}`
    : formatBytes(memory);
  const parts = trans.__(
    '%1 task results, %2 other, %3 on disk',
    formatBytes(managed),
    formatBytes(memory - managed),
    formatBytes(spilled)
  );
  return (
    <div className="jp-Satflow-meter" title={parts}>
      <span>{trans.__('Memory')}</span>
      <span
        className={`jp-Satflow-bar jp-mod-stacked${share(memory) > 0.9 ? ' jp-mod-warning' : ''}`}
        role="meter"
        aria-label={trans.__('Memory')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share(memory) * 100)}
        aria-valuetext={`${whole}; ${parts}`}
      >
        <span style={{ width: `${share(managed) * 100}%` }} />
        <span style={{ width: `${share(memory - managed) * 100}%` }} />
      </span>
      <span>
        {whole}
        {spilled > 0 && ` + ${trans.__('%1 on disk', formatBytes(spilled))}`}
      </span>
    </div>
  );
}
