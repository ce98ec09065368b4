import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { Failure } from '../_api';
import { AnsiText } from './AnsiText';

export interface IFailureCardProps {
  failure: Failure;
  onRunAgain: (() => void) | null;
  trans: TranslationBundle;
}

/** Why a run failed, and what to do next. */
export function FailureCard(props: IFailureCardProps): JSX.Element {
  const { failure, onRunAgain, trans } = props;
  return (
    <section
      className="jp-Satflow-failure"
      aria-label={trans.__('Failure')}
      data-testid="satflow-failure"
    >
      <strong data-testid="satflow-failure-cause">{failure.cause}</strong>
      {failure.traceback && (
        <details open>
          <summary>{trans.__('Traceback')}</summary>
          <pre data-testid="satflow-traceback">
            <AnsiText text={failure.traceback} />
          </pre>
        </details>
      )}
      <p>
        {trans.__(
          'Next: correct the flow in the notebook, run its cell and register it again; or run this version once more.'
        )}
      </p>
      {onRunAgain && (
        <Button className="jp-mod-styled" onClick={onRunAgain}>
          {trans.__('Run again…')}
        </Button>
      )}
    </section>
  );
}
