import javascript from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import typescript from 'typescript-eslint';

const addonLoaders = ['bindings', 'node-gyp-build'].map((name) => ({
  name,
  message: 'lib/addon.ts alone loads the addon.',
}));

export default defineConfig(
  globalIgnores(['docs/', 'build/', 'dist*/', 'prebuilds/', 'coverage/']),
  javascript.configs.recommended,
  typescript.configs.strictTypeChecked,
  typescript.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { project: './tsconfig.check.json', tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      eqeqeq: 'error',
      // an index that the loop has checked: noUncheckedIndexedAccess does not see it
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    files: ['lib/**'],
    ignores: ['lib/addon.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: addonLoaders }] },
  },
  {
    // imports go down only: cli → bench → objects
    files: ['lib/*.ts', 'lib/bench/**'],
    ignores: ['lib/addon.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: addonLoaders,
          patterns: [{ group: ['**/cli/*'], message: 'The library does not know its tools.' }],
        },
      ],
    },
  },
  {
    // the list has a type, and with it each function in it
    files: ['lib/doctor/checks/*.ts'],
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    rules: {
      // plain JavaScript states its types in JSDoc, which tsconfig.check.json checks
      'no-undef': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    // random calls are made of wrong types; what fixtures get from their parents has none that ESLint sees (tsc does)
    files: ['test/fuzz/**/*.mjs', 'test/fixtures/*.mjs'],
    ...typescript.configs.disableTypeChecked,
  },
  {
    // an error that is matched first is cast after
    files: ['test/*.test.ts'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
  {
    files: ['test/fuzz/**/*.mjs'],
    rules: {
      '@typescript-eslint/class-literal-property-style': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/ban-ts-comment': 'off',
    },
  },
);
