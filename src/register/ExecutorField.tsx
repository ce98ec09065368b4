import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import { HTMLSelect } from '@jupyterlab/ui-components';
import React from 'react';

import type {
  Catalogue,
  ErrorBody,
  ExecutorInfo,
  JsonObject,
  WorkerSize
} from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Extension } from '../components/Extension';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import {
  asObject,
  toJsonTexts,
  createParameterForm
} from '../components/parameterSchema';
import { FLOW_EXECUTOR } from '../components/preferences';
import { SchemaForm } from '../components/SchemaForm';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import { formatBytes } from '../format';
import {
  ClusterClassFields,
  type IClusterClassState
} from './ClusterClassFields';
import type { IExecutorCard } from './executorCards';

export interface IExecutorFieldProps {
  catalogue: Catalogue;
  /** The cards of all executors. */
  cards: readonly IExecutorCard[];
  translator: ITranslator;
  /** True while the form is sent. */
  isSending: boolean;
  executor: string;
  options: JsonObject;
  /** The flow's own task runner, in words. */
  taskRunner: string | null;
  /** The usage of the worker size in the last runs, in words. */
  workerUsage: string | null;
  /** An error in this field; `field` is the path below the executor. */
  error: ErrorBody | null;
  onExecutor: (name: string) => void;
  onOptions: (options: JsonObject) => void;
  clusterClass: IClusterClassState;
  onLoadClass: (name: string) => void;
}

/** Cards of the executors, and the options of the chosen one. */
export function ExecutorField(props: IExecutorFieldProps): JSX.Element {
  const trans = useTrans();
  const { catalogue, executor, error, onExecutor } = props;
  const chosen = catalogue.executors.find(one => one.name === executor);
  const atOption = errorBelow(error, 'options');
  return (
    <fieldset className="jp-Satflow-fieldset">
      <legend>{trans.__('Executor')}</legend>
      <div
        className="jp-Satflow-cards"
        role="radiogroup"
        aria-label={trans.__('Executor')}
      >
        {catalogue.executors.map(one => (
          <ExecutorCard
            key={one.name}
            info={one}
            purpose={
              one.name === FLOW_EXECUTOR && props.taskRunner
                ? props.taskRunner
                : one.purpose
            }
            checked={one.name === executor}
            onSelect={() => onExecutor(one.name)}
          />
        ))}
      </div>
      {error && !atOption && <ErrorNote error={error} />}
      {chosen && <ExecutorOptions {...props} error={atOption} info={chosen} />}
    </fieldset>
  );
}

interface IExecutorCardProps {
  info: ExecutorInfo;
  purpose: string;
  checked: boolean;
  onSelect: () => void;
}

function ExecutorCard(props: IExecutorCardProps): JSX.Element {
  const trans = useTrans();
  const { info, checked, onSelect } = props;
  const name = useFieldId('executor');
  return (
    <label
      className={`jp-Satflow-card${checked ? ' jp-mod-selected' : ''}`}
      data-testid={`satflow-executor-${info.name}`}
    >
      <input
        type="radio"
        name={name}
        value={info.name}
        checked={checked}
        onChange={onSelect}
      />
      <span className="jp-Satflow-cardTitle">{info.title}</span>
      <span>{props.purpose}</span>
      <span className="jp-Satflow-hint">
        {trans.__('starts: %1', info.starts)}
      </span>
    </label>
  );
}

interface IExecutorOptionsProps extends IExecutorFieldProps {
  info: ExecutorInfo;
}

/** The options of the executor: the fields of its JSON schema, and the cards that extensions add or replace them with. */
function ExecutorOptions(props: IExecutorOptionsProps): JSX.Element {
  const { info, error } = props;
  const cards = props.cards.filter(one => one.executor === info.name);
  const isReplaced = cards.some(one => one.replaces);
  return (
    <div className="jp-Satflow-options">
      {!isReplaced && <SchemaOptions {...props} />}
      {isReplaced && error && <ErrorNote error={error} />}
      {cards.map(one => (
        <Extension
          key={one.id}
          render={() =>
            one.render({
              value: props.options,
              onChange: props.onOptions,
              schema: info.options_schema,
              error,
              disabled: props.isSending,
              translator: props.translator
            })
          }
        />
      ))}
    </div>
  );
}

function SchemaOptions(props: IExecutorOptionsProps): JSX.Element {
  const { info, options, error, onOptions } = props;
  const id = useFieldId('options');
  const form = createParameterForm(withoutSize(info.options_schema));
  const properties = asObject(info.options_schema.properties ?? {});
  const hasFields = Object.keys(properties).some(key => key !== 'worker_size');
  const atSize = errorBelow(error, 'worker_size');
  return (
    <>
      {hasFields && (
        <SchemaForm
          key={info.name}
          id={id}
          schema={form.schema}
          jsonFields={form.jsonFields}
          data={toJsonTexts(form, options)}
          error={atSize ? null : error}
          onChange={data =>
            onOptions({ ...data, ...workerSizeOption(options) } as JsonObject)
          }
        />
      )}
      {!hasFields && error && !atSize && <ErrorNote error={error} />}
      {'worker_size' in properties && <SizeField {...props} error={atSize} />}
      {'backend' in properties && (
        <ClusterClassFields
          {...props}
          state={props.clusterClass}
          onLoadClass={props.onLoadClass}
        />
      )}
    </>
  );
}

function SizeField(props: IExecutorFieldProps): JSX.Element {
  const trans = useTrans();
  const { catalogue, options, workerUsage, error, onOptions } = props;
  const id = useFieldId('worker-size');
  const size = options.worker_size;
  const backEnd = options.backend ?? 'gateway';
  const isElsewhere = Boolean(options.gateway) || backEnd !== 'gateway';
  return (
    <Field
      id={id}
      label={trans.__('Worker size')}
      hint={[
        isElsewhere
          ? trans.__('The cluster provider defines the available sizes.')
          : describeMachine(catalogue, trans),
        workerUsage && trans.__('Last runs: %1.', workerUsage)
      ]
        .filter(Boolean)
        .join(' ')}
      error={error}
    >
      <HTMLSelect
        id={id}
        data-testid="satflow-worker-size"
        value={typeof size === 'string' ? size : ''}
        onChange={event =>
          onOptions({ ...options, worker_size: event.target.value || null })
        }
      >
        <option value="">
          {isElsewhere
            ? trans.__('default of the cluster provider')
            : trans.__('share the machine equally')}
        </option>
        {catalogue.worker_sizes.map(one => (
          <SizeOption
            key={one.name}
            size={isElsewhere ? { ...one, available: true } : one}
          />
        ))}
      </HTMLSelect>
    </Field>
  );
}

function describeMachine(
  { cores, memory }: Catalogue,
  trans: TranslationBundle
): string | null {
  return cores !== null && memory !== null
    ? trans.__('This machine: %1 cores, %2.', cores, formatBytes(memory))
    : null;
}

function SizeOption(props: { size: WorkerSize }): JSX.Element {
  const trans = useTrans();
  const { size } = props;
  const { name, cores, memory, gpus, available, reason } = size;
  const plain = trans.__('%1: %2 cores, %3', name, cores, formatBytes(memory));
  const words = gpus
    ? trans._n('%2, %1 GPU', '%2, %1 GPUs', gpus, plain)
    : plain;
  return (
    <option value={name} disabled={!available} title={reason ?? undefined}>
      {available
        ? words
        : trans.__('%1 (not available on this machine)', words)}
    </option>
  );
}

function withoutSize(schema: JsonObject): JsonObject {
  const { worker_size: _, ...properties } = asObject(schema.properties ?? {});
  return { ...schema, properties, description: '' };
}

function workerSizeOption(options: JsonObject): JsonObject {
  return 'worker_size' in options ? { worker_size: options.worker_size } : {};
}
