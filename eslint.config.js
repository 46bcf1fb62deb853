/**
 * What the linter holds everybody to: typed rules that find real faults (promises nobody waits for, switches that forget a case), the
 * injected clock, pure rooms that touch nothing of Node's, and the size of a file. How code is laid out is Prettier's matter.
 * Which room may import which is .dependency-cruiser.cjs.
 */
import tseslint from 'typescript-eslint';

/** Tests, the suites that implementations of a contract run through, and helpers of tests. */
const TESTS = [
  'src/**/*.test.ts',
  'src/**/*Contract.ts',
  'src/**/test[A-Z]*.ts',
  'src/**/testing/**',
  'test/**',
  'bench/**',
  'examples/**',
];

const CLOCK = 'Take a Clock (src/base/clock.ts): time and timers are injected.';
const TIMERS = ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'];

const clockRules = {
  'no-restricted-globals': ['error', ...TIMERS.map((name) => ({ name, message: CLOCK })), { name: 'performance', message: CLOCK }],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: CLOCK },
    { object: 'performance', property: 'now', message: CLOCK },
    { object: 'process', property: 'hrtime', message: CLOCK },
    { object: 'globalThis', property: 'performance', message: CLOCK },
    ...TIMERS.map((property) => ({ object: 'globalThis', property, message: CLOCK })),
  ],
  'no-restricted-syntax': ['error', { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: CLOCK }],
  'no-restricted-imports': [
    'error',
    {
      patterns: [{ regex: '^(node:)?(timers(/promises)?|perf_hooks)$', importNamePattern: '^(?!monitorEventLoopDelay$)', message: CLOCK }],
    },
  ],
};

const PURE = 'This room is pure: it is fed bytes and imports nothing of Node (design.md, Where things live).';

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', 'assets/**', 'dvr/**', 'test/fixtures/**'] },
  ...tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/return-await': ['error', 'in-try-catch'],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // an async method without await is how a synchronous implementation of an asynchronous contract is written
      '@typescript-eslint/require-await': 'off',
      'default-case-last': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500 }],
      'no-constant-binary-expression': 'error',
      'no-else-return': 'error',
      'no-self-compare': 'error',
      'no-useless-return': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['src/**/*.ts'], ignores: ['src/base/clock.ts', ...TESTS], rules: clockRules },
  {
    files: ['src/{mpegts,segmenter,hls,model}/**/*.ts'],
    ignores: TESTS,
    rules: {
      'no-restricted-globals': [
        ...clockRules['no-restricted-globals'],
        ...['Buffer', 'process', 'global', 'require', '__dirname', 'setImmediate'].map((name) => ({ name, message: PURE })),
      ],
    },
  },
  // a test may take a method off its object to look at it
  { files: TESTS, rules: { '@typescript-eslint/unbound-method': 'off' } },
  // components have no `this`
  { files: ['web/**'], rules: { '@typescript-eslint/unbound-method': 'off' } },
  { files: ['**/*.mjs', '**/*.cjs', '**/*.js'], ...tseslint.configs.disableTypeChecked },
  { files: ['**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
);
