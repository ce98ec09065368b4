import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import { localZone, moment } from '../words';

export interface IZonedTimeProps {
  time: string;
  /** The IANA name of the zone in which the time was meant. */
  timezone: string;
  /** Whether to leave the zone's name to the words around. */
  isZoneSaid?: boolean;
  trans: TranslationBundle;
}

/** A time in the zone in which it was meant, with the time here on pointing at it. */
export function ZonedTime(props: IZonedTimeProps): JSX.Element {
  const { time, timezone, isZoneSaid, trans } = props;
  const here = trans.__('%1, %2 (here)', moment(time), localZone());
  return (
    <time dateTime={time} title={here}>
      {moment(time, timezone)}
      {!isZoneSaid && `, ${timezone}`}
    </time>
  );
}
