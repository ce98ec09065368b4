import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { ClusterEvent } from '../_api';
import { useTrans } from '../components/translation';
import { formatLogTime } from '../format';

export interface IClusterEventsProps {
  events: ClusterEvent[];
}

/** The events of a cluster, newest first. */
export function ClusterEvents(props: IClusterEventsProps): JSX.Element | null {
  const trans = useTrans();
  const { events } = props;
  if (events.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Events')}>
      <h3>{trans.__('Events')}</h3>
      <ol className="jp-Satflow-events" data-testid="satflow-cluster-events">
        {[...events].reverse().map(event => (
          <li
            key={`${event.time} ${event.kind} ${event.worker}`}
            className={`jp-mod-${event.kind}`}
          >
            <time dateTime={event.time}>
              {formatLogTime(event.time).slice(0, 8)}
            </time>{' '}
            {describeEvent(event, trans)}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Describe an event. */
export function describeEvent(
  { kind, worker, tasks }: ClusterEvent,
  trans: TranslationBundle
): string {
  const words = {
    joined: trans.__('Worker %1 joined', worker),
    left: trans.__('Worker %1 left', worker),
    lost: trans.__('Worker %1 was lost', worker),
    replaced: trans.__('Worker %1 replaced a lost worker', worker),
    unreachable: trans.__('The scheduler does not answer'),
    back: trans.__('The scheduler answers again')
  };
  return tasks > 0
    ? trans._n(
        '%2; %1 task is recomputed',
        '%2; %1 tasks are recomputed',
        tasks,
        words[kind]
      )
    : words[kind];
}
