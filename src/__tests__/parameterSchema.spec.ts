import {
  changedParameters,
  toFormData,
  toJsonTexts,
  createParameterForm
} from '../components/parameterSchema';

describe('parameterForm', () => {
  const form = createParameterForm({
    type: 'object',
    properties: {
      size: { $ref: '#/definitions/Size', position: 2 },
      maybe: {
        anyOf: [{ type: 'number' }, { type: 'null' }],
        default: null,
        position: 0
      },
      where: { type: 'object', default: { a: 1 }, position: 1 },
      pair: {
        type: 'array',
        prefixItems: [{ type: 'number' }, { type: 'string' }]
      },
      names: { type: 'array', items: { type: 'string' } },
      thing: { title: 'thing' }
    },
    definitions: { Size: { enum: ['s', 'l'] } }
  });
  const properties = form.schema.properties as Record<string, object>;

  it('asks in the order of the signature', () => {
    const [first, second, third] = Object.keys(properties);
    expect([first, second, third]).toEqual(['maybe', 'where', 'size']);
  });

  it('makes an optional field of a union with null', () => {
    expect(properties.maybe).toEqual({ type: 'number', position: 0 });
  });

  it('asks for JSON if the schema is too general', () => {
    expect(form.jsonFields).toEqual(['where', 'pair', 'thing']);
    expect(properties.where).toMatchObject({
      type: 'string',
      default: '{"a":1}'
    });
  });

  it('sends only what differs from the defaults', () => {
    const data = { maybe: 2, where: '{"a":1}', names: ['x'] };
    expect(changedParameters(form, data)).toEqual({ maybe: 2, names: ['x'] });
  });

  it('parses JSON fields, and names the one that is not valid', () => {
    const parsed = changedParameters(form, { where: '{"b": 2}' });
    expect(parsed).toEqual({ where: { b: 2 } });
    expect(() => changedParameters(form, { where: '{' })).toThrow('where');
  });

  it('shows values in JSON fields as text', () => {
    expect(toFormData(form, { thing: [1], maybe: 3 })).toEqual({
      thing: '[\n  1\n]',
      maybe: 3
    });
  });

  it('leaves what is typed into a JSON field as it is', () => {
    const typed = { thing: '[1', where: { a: 1 } };
    expect(toJsonTexts(form, typed)).toEqual({
      thing: '[1',
      where: '{\n  "a": 1\n}'
    });
  });
});

describe('form of a parameter', () => {
  const either = { anyOf: [{ type: 'number' }, { type: 'string' }] };
  const form = createParameterForm({
    type: 'object',
    properties: {
      price: either,
      size: { anyOf: [{ type: 'number' }, { type: 'array' }] },
      when: { type: 'string', format: 'date-time' },
      maybe: {
        anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }]
      },
      span: { type: 'string', format: 'duration' }
    }
  });

  it.each([
    ['2.5', 2.5],
    ['"2.50"', '2.50'],
    ['1.100000000000000000000000001', '1.100000000000000000000000001'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['00:30', '00:30']
  ])('takes %s where text is taken as well', (price, value) => {
    expect(changedParameters(form, { price })).toEqual({ price: value });
  });

  it('refuses text that is not JSON in other fields', () => {
    expect(() => changedParameters(form, { size: 'x' })).toThrow('not JSON');
  });

  it('leaves a date and time as it is typed', () => {
    expect(form.schema.properties).toMatchObject({
      when: { type: 'string' },
      maybe: { type: 'string' },
      span: { type: 'string', format: 'duration' }
    });
    expect(JSON.stringify(form.schema)).not.toContain('date-time');
  });
});
