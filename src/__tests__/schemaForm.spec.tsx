import { render } from '@testing-library/react';
import React from 'react';

import type { JsonObject } from '../_api';
import { createParameterForm } from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';

/** Unions as Pydantic writes them; a union at the top level of a parameter is edited as JSON. */
const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    whole: {
      title: 'whole',
      anyOf: [{ $ref: '#/definitions/Table' }, { $ref: '#/definitions/File' }]
    },
    config: { $ref: '#/definitions/Config' },
    box: { $ref: '#/definitions/Box' },
    simple: {
      title: 'simple',
      anyOf: [{ type: 'integer' }, { type: 'string' }]
    }
  },
  definitions: {
    Config: {
      type: 'object',
      title: 'Config',
      properties: {
        source: {
          title: 'source',
          anyOf: [
            { $ref: '#/definitions/Table' },
            { $ref: '#/definitions/File' },
            { type: 'null' }
          ]
        },
        tagged: {
          title: 'tagged',
          oneOf: [
            { $ref: '#/definitions/Table' },
            { $ref: '#/definitions/File' }
          ]
        },
        several: {
          title: 'several',
          type: 'array',
          items: {
            anyOf: [
              { $ref: '#/definitions/File' },
              { $ref: '#/definitions/Table' }
            ]
          }
        }
      }
    },
    Table: {
      type: 'object',
      title: 'Table',
      properties: {
        table: { type: 'string', title: 'table' },
        limit: { type: 'integer', title: 'limit', minimum: 1 }
      },
      required: ['table', 'limit']
    },
    File: {
      type: 'object',
      title: 'File',
      properties: { path: { type: 'string', title: 'path' } },
      required: ['path']
    },
    Box: {
      type: 'object',
      title: 'Box',
      properties: {
        labels: {
          type: 'object',
          title: 'labels',
          additionalProperties: { type: 'integer' }
        }
      }
    }
  }
};

const table = { table: 'tiles', limit: 0 };

describe('an error inside a value', () => {
  it.each([
    ['whole.limit', { whole: table }, 'form_whole'],
    [
      'config.source.limit',
      { config: { source: table } },
      'form_config_source_limit'
    ],
    [
      'config.tagged.limit',
      { config: { tagged: table } },
      'form_config_tagged_limit'
    ],
    [
      'config.several.1.limit',
      { config: { several: [{ path: 'a' }, table] } },
      'form_config_several_1_limit'
    ],
    [
      'box.labels.north',
      { box: { labels: { north: 1 } } },
      'form_box_labels_north'
    ]
  ])('is shown at the input of %s', (field, data, id) => {
    const form = createParameterForm(SCHEMA);
    const message = 'It must be at least 1.';
    const { container } = render(
      <SchemaForm
        id="form"
        schema={form.schema}
        jsonFields={form.jsonFields}
        data={data}
        error={{ error: 'InvalidParameter', message, fix: null, field }}
        onChange={jest.fn()}
      />
    );
    const wrong = [...container.querySelectorAll('[aria-invalid="true"]')];
    expect(wrong.map(one => one.id)).toEqual([id]);
    const described = wrong[0].getAttribute('aria-describedby')?.split(' ');
    const words = described?.map(
      one => container.querySelector(`#${CSS.escape(one)}`)?.textContent
    );
    expect(words?.join('')).toContain(message);
  });
});
