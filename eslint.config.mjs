import js from '@eslint/js';
import jupyter from '@jupyter/eslint-plugin';
import prettier from 'eslint-config-prettier';
import globals from 'globals';
import ts from 'typescript-eslint';

export default ts.config(
  {
    ignores: [
      '.docs/**',
      '.venv/**',
      'coverage/**',
      'docs/**',
      'lib/**',
      'node_modules/**',
      'satflow_ext/**',
      'src/_api.ts',
      'src/register/_options.ts',
      'ui-tests/**'
    ]
  },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [
      { plugins: { jupyter } },
      ...jupyter.configs.recommended.filter(
        one => !one.files?.some(glob => glob.endsWith('.json'))
      ),
      ...ts.configs.recommended
    ],
    languageOptions: {
      parser: ts.parser,
      parserOptions: { project: './tsconfig.test.json' }
    },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }
      ],
      curly: ['error', 'all'],
      eqeqeq: 'error',
      'max-lines': ['error', { max: 300 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'no-console': ['error', { allow: ['error'] }],
      'no-restricted-properties': [
        'error',
        {
          property: 'innerHTML',
          message: 'Text from elsewhere is never HTML.'
        },
        { property: 'outerHTML', message: 'Text from elsewhere is never HTML.' }
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
          message: 'Text from elsewhere is never HTML.'
        }
      ]
    }
  },
  {
    files: ['src/__tests__/**'],
    rules: {
      'jupyter/no-untranslated-string': 'off',
      'jupyter/require-disposable-ownership': 'off',
      'max-lines-per-function': 'off'
    }
  },
  {
    files: ['*.{js,cjs,mjs}'],
    languageOptions: { globals: globals.node }
  },
  prettier
);
