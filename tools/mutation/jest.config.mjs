// No `globalSetup`: the keys of the specs are made once for all mutants, by scripts/mutation.mjs.
import config from '../../jest.config.mjs';

const [unit] = config.projects;

export default {
  ...unit,
  displayName: 'mutation',
  testMatch: ['<rootDir>/tools/mutation/room.mutation.mjs'],
  testTimeout: config.testTimeout,
};
