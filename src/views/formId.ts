import { createContext, useContext, useState } from 'react';

/** What the ids of a form's elements begin with: several forms can be open on one page. */
export const FormId = createContext('satflow');

let forms = 0;

/** A prefix of ids that no other form on the page has. */
export function useNewFormId(): string {
  const [id] = useState(() => `satflow-${(forms += 1)}`);
  return id;
}

/** The id of a form's element. */
export function useFieldId(name: string): string {
  return `${useContext(FormId)}-${name}`;
}
