import {
  type ISavedForm,
  saveForReload,
  takeSavedForm
} from '../register/savedForm';
import { flow } from './fakes';

describe('a form saved when the page is left', () => {
  const subject = {
    flow: flow(),
    kernelId: 'k1',
    notebook: 'a.ipynb',
    notebookFile: null
  };
  const form = {
    subject,
    intent: 'register',
    draft: { parameters: { n: 1 } }
  } as unknown as ISavedForm;

  it('is restored once, by its own tab', () => {
    saveForReload('one', form);
    expect(takeSavedForm('other')).toBeNull();
    expect(takeSavedForm('one')).toEqual(form);
    expect(takeSavedForm('one')).toBeNull();
  });

  it('is not restored if another version wrote it', () => {
    saveForReload('one', { ...form, draft: null } as never);
    expect(takeSavedForm('one')).toBeNull();
  });

  it('may not fit in the storage', () => {
    const told = jest.spyOn(console, 'error').mockImplementation();
    const full = jest
      .spyOn(Storage.prototype, 'setItem')
      .mockImplementation(() => {
        throw new DOMException('full', 'QuotaExceededError');
      });
    saveForReload('one', form);
    expect(told).toHaveBeenCalled();
    full.mockRestore();
    told.mockRestore();
    expect(takeSavedForm('one')).toBeNull();
  });
});
