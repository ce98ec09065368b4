import { fireEvent, screen } from '@testing-library/react';

import type { Deployment } from '../_api';
import { createParameterForm } from '../components/parameterSchema';
import {
  createDraft,
  formatMagicLine,
  type IDraft,
  parseChoices
} from '../register/draft';
import type { IFormOption } from '../register/formOption';
import { deployment, flow } from './fakes';
import { described, preset, show, wrong } from './renderedForm';

jest.mock('../register/_options', () => {
  const option = (
    kind: IFormOption['kind'],
    field: string,
    value: IFormOption['default'],
    position: number
  ): IFormOption => ({
    field,
    flag: `--${field.replace(/_/g, '-')}`,
    kind,
    default: value,
    isAdvanced: kind !== 'text',
    position,
    label: () => `Label of ${field}`,
    hint: () => `Hint of ${field}.`,
    values: ['low', 'high'].map(value => ({
      value,
      label: () => `${value}:`,
      hint: () => `It is ${value}.`
    }))
  });
  return {
    FORM_OPTIONS: [
      option('words', 'labels', [], 2),
      option('lines', 'reviewers', [], 1),
      option('number', 'max_retries', 0, 2),
      option('text', 'owner', null, 1),
      option('paragraph', 'notes', null, 3),
      option('boolean', 'is_urgent', false, 2),
      option('enumeration', 'level', 'low', 2)
    ]
  };
});

const FORM = createParameterForm({});
const TYPED = {
  labels: 'a, b',
  reviewers: ['A', '', 'B'],
  max_retries: '3',
  owner: ' me ',
  notes: 'one\ntwo\n',
  is_urgent: true,
  level: 'high'
};
const VALUES = {
  labels: ['a', 'b'],
  reviewers: ['A', 'B'],
  max_retries: 3,
  owner: 'me',
  notes: 'one\ntwo',
  is_urgent: true,
  level: 'high'
};

const choices = (change: object = {}) =>
  parseChoices({ ...createDraft(flow(), null, preset), ...change }, FORM, FORM);

describe('an option without a widget of its own', () => {
  it('starts with its default, which is not part of the line', () => {
    expect(choices()).toMatchObject({
      labels: [],
      reviewers: [],
      max_retries: 0,
      owner: null,
      notes: null,
      is_urgent: false,
      level: 'low'
    });
    expect(formatMagicLine('tiles', choices())).toBe(
      '%register_flow tiles --executor threads'
    );
  });

  it('becomes a choice and a flag of the line', () => {
    expect(choices(TYPED)).toMatchObject(VALUES);
    expect(formatMagicLine('tiles', choices(TYPED))).toBe(
      '# Only satflow_ext.register(…, notes="one\\ntwo")\n' +
        '%register_flow tiles --executor threads --labels a --labels b' +
        ' --reviewers A --reviewers B --max-retries 3 --owner me' +
        ' --is-urgent true --level high'
    );
  });

  it.each(['many', '1e999', '--1'])('refuses %s as a number', text => {
    expect(() => choices({ max_retries: text })).toThrow(
      expect.objectContaining({
        body: expect.objectContaining({ field: 'max_retries' })
      })
    );
  });

  it('keeps a value that begins with a dash apart from options', () => {
    expect(
      formatMagicLine('tiles', choices({ owner: '-x', max_retries: '-1' }))
    ).toBe(
      '%register_flow tiles --executor threads --max-retries=-1 --owner=-x'
    );
  });

  it('starts with the value that was registered', () => {
    const before = deployment(VALUES as Partial<Deployment>);
    expect(createDraft(flow(), before, preset)).toMatchObject({
      ...TYPED,
      reviewers: ['A', 'B'],
      owner: 'me',
      notes: 'one\ntwo'
    });
  });

  it('has an input of its kind, in the order of the positions', () => {
    show();
    const text = screen.getByTestId('satflow-register-form').textContent ?? '';
    const places = Object.keys(TYPED).map(name => [
      text.indexOf(`Label of ${name}`),
      name
    ]);
    places.sort(([a], [b]) => Number(a) - Number(b));
    expect(places.map(([, name]) => name)).toEqual([
      'owner',
      'reviewers',
      'labels',
      'max_retries',
      'is_urgent',
      'level',
      'notes'
    ]);
    expect(screen.getByTestId('satflow-advanced').textContent).not.toContain(
      'Label of owner'
    );
    const input = screen.getByLabelText('Label of max_retries');
    expect(input.id).toMatch(/-max-retries$/);
    expect(input).toHaveProperty('inputMode', 'decimal');
    expect(described(input)).toBe('Hint of max_retries.');
  });

  it('takes a value of its kind', () => {
    const actions = show();
    const enter = (name: string, value: string) =>
      fireEvent.change(screen.getByLabelText(`Label of ${name}`), {
        target: { value }
      });
    enter('labels', 'a, b');
    enter('reviewers', 'A\n\nB');
    enter('max_retries', '3');
    enter('owner', ' me ');
    enter('notes', 'one\ntwo\n');
    fireEvent.click(screen.getByLabelText('Label of is_urgent'));
    fireEvent.click(screen.getByRole('radio', { name: /^high:/ }));
    const changes = actions.onChange.mock.calls.map(([change]) => change);
    expect(Object.assign({}, ...changes)).toMatchObject(TYPED);
  });

  it.each(Object.entries(TYPED).filter(([name]) => name !== 'owner'))(
    'opens the section if it is set: %s',
    (name, value) => {
      show({ [name]: value } as Partial<IDraft>);
      const section = screen.getByTestId('satflow-advanced');
      expect(section).toHaveProperty('open', true);
    }
  );

  it.each(Object.keys(TYPED))('shows an error in %s at its input', name => {
    show({}, wrong({ field: name }));
    expect(screen.getAllByRole('alert')).toHaveLength(1);
    const id =
      document.activeElement?.id ||
      document.activeElement?.parentElement?.parentElement?.id;
    expect(id).toMatch(new RegExp(`-${name.replace(/_/g, '-')}$`));
  });
});
