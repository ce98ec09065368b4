import { isSavedForm, type ISavedForm } from './savedForm';

const PREFIX = 'satflow-ext:left-form:';

/**
 * Keep a form for the page's next load, at once: what JupyterLab keeps of its tabs is a second behind.
 *
 * @param id - of its tab
 * @param form - without what looks like a secret, as in what JupyterLab keeps
 */
export function leave(id: string, form: ISavedForm): void {
  try {
    sessionStorage.setItem(PREFIX + id, JSON.stringify(form));
  } catch (reason) {
    // No room, or no storage: what JupyterLab has kept is all there is.
    console.error('A form is not kept to the last letter.', reason);
  }
}

/** The form that a page left behind in this browser tab, once; null where there is none. */
export function pickUp(id: string): ISavedForm | null {
  const text = sessionStorage.getItem(PREFIX + id);
  sessionStorage.removeItem(PREFIX + id);
  const form: unknown = text === null ? null : JSON.parse(text);
  return isSavedForm(form) ? form : null;
}
