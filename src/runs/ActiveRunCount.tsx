import { TextItem } from '@jupyterlab/statusbar';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import { useTrans } from '../components/translation';

export interface IActiveRunCountProps {
  count: number;
  onClick: () => void;
}

/** The number of active runs, in the status bar. */
export function ActiveRunCount(props: IActiveRunCountProps): JSX.Element {
  const { count, onClick } = props;
  const trans = useTrans();
  const text = trans._n('%1 flow run', '%1 flow runs', count);
  return (
    <Button
      minimal
      className="jp-Satflow-statusItem"
      title={trans.__(
        'Flow runs that have not ended. Show them in the sidebar.'
      )}
      onClick={onClick}
      data-testid="satflow-active-runs"
    >
      <TextItem source={text} />
    </Button>
  );
}
