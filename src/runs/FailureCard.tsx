import React, { useLayoutEffect, useRef } from 'react';

import type { Failure } from '../_api';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';
import { AnsiText } from './AnsiText';

export interface IFailureCardProps {
  failure: Failure;
}

/** The reason why a run failed, and the next step. */
export function FailureCard(props: IFailureCardProps): JSX.Element {
  const trans = useTrans();
  const { failure } = props;
  return (
    <section
      className="jp-Satflow-failure"
      aria-label={trans.__('Failure')}
      data-testid="satflow-failure"
    >
      <strong data-testid="satflow-failure-cause">
        {nameInvisible(failure.cause)}
      </strong>
      {failure.traceback && (
        <details open>
          <summary>{trans.__('Traceback')}</summary>
          <Traceback text={failure.traceback} />
        </details>
      )}
      <p>
        {trans.__(
          'Next: fix the flow in the notebook, run its cell and register it again, or run this version again.'
        )}
      </p>
    </section>
  );
}

/** A traceback, scrolled to its end, which has the flow's own lines. */
function Traceback({ text }: { text: string }): JSX.Element {
  const box = useRef<HTMLPreElement>(null);
  useLayoutEffect(() => {
    if (box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [text]);
  return (
    <pre ref={box} tabIndex={0} data-testid="satflow-traceback">
      <AnsiText text={text} />
    </pre>
  );
}
