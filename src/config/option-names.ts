import type { Failure } from 'nestjs-maskinporten';
import { variableOf } from 'nestjs-maskinporten/environment';
import type { SettingFailure } from './environment-error.js';
import type { Environment } from './environment.js';

/** Says a failure of the module in the words of whoever sets the variables. */
export function settingFailure({ field, reason }: Failure, environment?: Environment): SettingFailure {
  const [, index] = field.split(/[[\]]/);
  const variable = variableOf(field, Object.fromEntries(Object.entries(environment ?? {})));
  if (variable === undefined) return { variable: field, reason };
  return { variable, reason: index === undefined ? reason : `(entry ${Number(index) + 1}) ${reason}` };
}
