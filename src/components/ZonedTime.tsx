import React from 'react';

import { localTimezone, formatDateTime } from '../format';
import { useTrans } from './translation';

export interface IZonedTimeProps {
  time: string;
  /** The IANA name of the time zone that the time belongs to. */
  timezone: string;
  /** True to leave out the name of the time zone, because the surrounding text has it. */
  hideTimezone?: boolean;
}

/** A time in the time zone that it belongs to; the tooltip shows it in the browser's time zone. */
export function ZonedTime(props: IZonedTimeProps): JSX.Element {
  const trans = useTrans();
  const { time, timezone, hideTimezone } = props;
  const localText = trans.__(
    '%1, %2 (local time)',
    formatDateTime(time),
    localTimezone()
  );
  return (
    <time dateTime={time} title={localText}>
      {formatDateTime(time, timezone)}
      {!hideTimezone && `, ${timezone}`}
    </time>
  );
}
