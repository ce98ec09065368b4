import type { ITranslator } from '@jupyterlab/translation';

import type { ErrorBody, JsonObject } from '../_api';
import type { IRegistryEntry, Registry } from '../components/registry';

/** The data that a card of an executor receives. */
export interface IExecutorCardProps {
  /** The executor's options. */
  value: JsonObject;
  /** Replaces all options of the executor. */
  onChange: (value: JsonObject) => void;
  /** The JSON schema of the options. */
  schema: JsonObject;
  /** An error in the options; `field` is the path of the option. */
  error: ErrorBody | null;
  /** True while the form is sent. */
  disabled: boolean;
  /** Provides the translations of the user's language. */
  translator: ITranslator;
}

/** A card with options of one executor in the register form; it is shown while the executor is selected. */
export interface IExecutorCard extends IRegistryEntry {
  /** The name of an executor in the server's catalog. */
  executor: string;
  /** True if the card replaces the fields that the form makes from the JSON schema; otherwise it is below them. */
  replaces: boolean;
  /** Render the card; it may use hooks. */
  render: (props: IExecutorCardProps) => JSX.Element | null;
}

/** The cards that extensions add to executors. */
export type ExecutorCards = Registry<IExecutorCard>;
