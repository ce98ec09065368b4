import { launcherIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus } from '../_api';
import { IconButton } from './IconButton';
import { useTrans } from './translation';

/** Opens a cluster in the Dask dashboard; null if dask-labextension is not installed. */
export type OnDaskPages = ((cluster: ClusterStatus) => void) | null;

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
