import { describe, expect, it } from '@jest/globals';
import { ConfigurationFailures, MaskinportenConfigurationError } from './index.js';

describe('ConfigurationFailures', () => {
  it('does nothing while nothing is wrong', () => {
    const failures = new ConfigurationFailures();
    expect(failures.isEmpty).toBe(true);
    expect(() => failures.throwIfAny()).not.toThrow();
  });

  it('throws once, naming every wrong setting in the message and in failures', () => {
    const failures = new ConfigurationFailures();
    failures.add('clientId', 'is missing');
    failures.addAll([{ field: 'key.pem', code: 'MP_CONFIG', reason: 'is not a key' }]);
    expect(failures.count).toBe(2);
    const error = failures.toError();
    expect(error).toBeInstanceOf(MaskinportenConfigurationError);
    expect(error.message).toContain('clientId: is missing; key.pem: is not a key');
    expect(error.failures.map(({ field }) => field)).toEqual(['clientId', 'key.pem']);
    expect(() => failures.throwIfAny()).toThrow('clientId');
  });
});
