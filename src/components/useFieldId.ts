import { createContext, useContext, useState } from 'react';

/** Prefix of the ids of a form's elements; several forms can be open on one page. */
export const FormId = createContext('satflow');

let formCount = 0;

/** Return a prefix of ids that is unique on the page. */
export function useUniqueFormId(): string {
  const [id] = useState(() => `satflow-${(formCount += 1)}`);
  return id;
}

/** Return the id of a form's element. */
export function useFieldId(name: string): string {
  return `${useContext(FormId)}-${name}`;
}
