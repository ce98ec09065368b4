import type { TranslationBundle } from '@jupyterlab/translation';
import { launcherIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { ClusterStatus } from '../_api';
import { IconButton } from './IconButton';

/** Shows a cluster in Dask's own pages; null where nothing is there that could. */
export type OnDaskPages = ((cluster: ClusterStatus) => void) | null;

export interface IDaskPagesButtonProps {
  cluster: ClusterStatus;
  onDaskPages: OnDaskPages;
  trans: TranslationBundle;
}

/** Hands a cluster over to dask-labextension; only where the scheduler serves Dask's pages. */
export function DaskPagesButton(
  props: IDaskPagesButtonProps
): JSX.Element | null {
  const { cluster, onDaskPages, trans } = props;
  return cluster.dashboard && onDaskPages ? (
    <IconButton
      icon={launcherIcon}
      label={trans.__('Show in Dask’s own pages')}
      testId="satflow-dask-pages"
      onClick={() => onDaskPages(cluster)}
    />
  ) : null;
}
