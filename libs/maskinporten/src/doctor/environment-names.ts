import type { Hint } from '../errors/index.js';
import type { EnvironmentName } from '../issuer/index.js';
import { words } from '../findings/index.js';

export const NAMES: Readonly<Record<EnvironmentName, Hint>> = {
  test: words('the test environment', 'testmiljøet'),
  prod: words('production', 'produksjon'),
};

export const otherEnvironment = (environment: EnvironmentName): EnvironmentName =>
  environment === 'prod' ? 'test' : 'prod';
