import { Injectable } from '@nestjs/common';
import type { Failure, MaskinportenOptions, MaskinportenOptionsFactory } from 'nestjs-maskinporten';
import { variableOf } from 'nestjs-maskinporten/environment';
import { DemoSimulator } from '../demo/index.js';
import { Environment, type SettingFailure } from './environment.js';

/** Gives `MaskinportenModule` its options: from the environment, or from the simulator in demo mode. */
@Injectable()
export class MaskinportenConfig implements MaskinportenOptionsFactory {
  constructor(
    private readonly environment: Environment,
    private readonly demo: DemoSimulator,
  ) {}

  createMaskinportenOptions(): MaskinportenOptions {
    return this.demo.takeOptions() ?? maskinportenOptions(this.environment);
  }
}

/** The options of the client. What was refused already has an empty place here, so that the module can judge the rest. */
export const maskinportenOptions = ({ maskinporten }: Environment): MaskinportenOptions => ({
  clientId: '',
  key: { file: '' },
  ...maskinporten?.reveal().options,
});

/** Says a failure of the module by the name of the variable. */
export function settingFailure({ field, reason }: Failure, environment?: Environment): SettingFailure {
  const [, index] = field.split(/[[\]]/);
  const variable = environment?.maskinporten?.reveal().variableOf(field) ?? variableOf(field);
  if (variable === undefined) return { variable: field, reason };
  return { variable, reason: index === undefined ? reason : `(entry ${Number(index) + 1}) ${reason}` };
}
