import type { ILabShell } from '@jupyterlab/application';

/**
 * Return the area of the page that has space for a tab.
 *
 * Notebook 7 shows one document per page and drops other widgets that are added to its main area; the right area has
 * space.
 *
 * @param lab - the shell of JupyterLab, or null in another application
 */
export function tabArea(lab: ILabShell | null): 'main' | 'right' {
  return lab ? 'main' : 'right';
}
