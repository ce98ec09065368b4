import { launcherIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus } from '../_api';
import { IconButton } from '../components/IconButton';
import { useTrans } from '../components/translation';
import type { OnDaskPages } from './daskPages';

export interface IDaskPagesButtonProps {
  cluster: ClusterStatus;
  onDaskPages: OnDaskPages;
}

/** Opens a cluster in dask-labextension; shown only if the scheduler serves the Dask dashboard. */
export function DaskPagesButton(
  props: IDaskPagesButtonProps
): JSX.Element | null {
  const trans = useTrans();
  const { cluster, onDaskPages } = props;
  return cluster.dashboard && onDaskPages ? (
    <IconButton
      icon={launcherIcon}
      label={trans.__('Open the Dask dashboard')}
      testId="satflow-dask-pages"
      onClick={() => onDaskPages(cluster)}
    />
  ) : null;
}
