import React from 'react';

import type { Finding } from '../_api';
import { useTrans } from '../components/translation';

/** The findings of the pre-flight report, each with its fix. */
export function FindingList(props: {
  findings: readonly Finding[];
}): JSX.Element {
  const trans = useTrans();
  const { findings } = props;
  return (
    <ul className="jp-Satflow-findings">
      {findings.map((finding, index) => (
        <li
          key={index}
          className={`jp-mod-${finding.level}`}
          data-testid="satflow-finding"
        >
          <strong>
            {finding.level === 'error'
              ? trans.__('Error')
              : trans.__('Warning')}
          </strong>{' '}
          <code>{finding.where}</code> {finding.message}.
          {finding.fix && (
            <span className="jp-Satflow-fix"> {finding.fix}</span>
          )}
        </li>
      ))}
    </ul>
  );
}
