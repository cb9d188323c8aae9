import { swcOptions } from './scripts/swc-options.mjs';

// `npm run soak`: the same specs at their full size.
const soaking = process.env.SOAK === '1';

const common = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  // Jest's cleanup between files replaces properties of objects that files share, core modules of Node among them.
  testEnvironmentOptions: { globalsCleanup: 'off' },
  injectGlobals: false,
  restoreMocks: true,
  setupFiles: soaking ? ['<rootDir>/test/support/soak-properties.ts'] : [],
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.run', '<rootDir>/libs/.*/dist'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { ...swcOptions, sourceMaps: 'inline' }],
  },
  // The workspace's own packages are tested from source; the packed tarballs are tested in test/package.
  moduleNameMapper: {
    '^nestjs-maskinporten$': '<rootDir>/libs/maskinporten/src/index.ts',
    '^nestjs-maskinporten/(.*)$': '<rootDir>/libs/maskinporten/src/$1/index.ts',
    '^maskinporten-simulator$': '<rootDir>/libs/simulator/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
};

export default {
  projects: [
    { ...common, displayName: 'unit', testMatch: ['<rootDir>/{src,libs}/**/*.spec.ts'] },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/**/*.e2e-spec.ts'] },
    { ...common, displayName: 'package', testMatch: ['<rootDir>/test/package/*.package-spec.ts'] },
  ],
  globalSetup: '<rootDir>/test/support/pool-setup.mjs',
  globalTeardown: '<rootDir>/test/support/pool-teardown.mjs',
  // Only a test that hangs meets it: nothing may depend on how fast a machine is.
  testTimeout: soaking ? 3_600_000 : 300_000,
  coverageProvider: 'babel',
  collectCoverageFrom: [
    'libs/*/src/**/*.ts',
    'src/**/*.ts',
    '!**/*.spec.ts',
    '!**/*.fixtures.ts',
    '!**/index.ts',
    '!src/main.ts',
  ],
};
