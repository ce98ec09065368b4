import type { ILabShell } from '@jupyterlab/application';

/**
 * Where a page has room for a tab.
 *
 * Notebook 7 shows one document a page and drops whatever else is added to its main area; beside it there is room.
 *
 * @param lab - JupyterLab's own shell, null in any other application
 */
export function tabArea(lab: ILabShell | null): 'main' | 'right' {
  return lab ? 'main' : 'right';
}
