import { isSavedForm, type ISavedForm } from './savedForm';

const PREFIX = 'satflow-ext:left-form:';

/**
 * Save a form for the next page load at once, because JupyterLab saves the state of its tabs a second later.
 *
 * @param id - the id of the form's tab
 * @param form - the form without values that look like secrets, as JupyterLab saves it
 */
export function saveForReload(id: string, form: ISavedForm): void {
  try {
    sessionStorage.setItem(PREFIX + id, JSON.stringify(form));
  } catch (reason) {
    // The storage is full or not available: only the state that JupyterLab saved remains.
    console.error('The last changes of a form were not saved.', reason);
  }
}

/** Return and remove the form that an earlier page saved in this browser tab; null if there is none. */
export function takeSavedForm(id: string): ISavedForm | null {
  const text = sessionStorage.getItem(PREFIX + id);
  sessionStorage.removeItem(PREFIX + id);
  const form: unknown = text === null ? null : JSON.parse(text);
  return isSavedForm(form) ? form : null;
}
