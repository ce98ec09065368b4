import {
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import React from 'react';

const TranslationContext = React.createContext<TranslationBundle>(
  nullTranslator.load('satflow_ext')
);

/** Provides the translations of the user's language to the views inside it. */
export const TranslationProvider = TranslationContext.Provider;

/** Return the translations of the user's language. */
export function useTrans(): TranslationBundle {
  return React.useContext(TranslationContext);
}
