import type { Command } from '../define-command.js';
import { defineGroup } from '../define-command.js';
import { auditVerify } from './audit-verify.command.js';
import { doctor } from './doctor.command.js';
import { keysGenerate } from './keys-generate.command.js';
import { keysInspect } from './keys-inspect.command.js';
import { keysJwk } from './keys-jwk.command.js';
import { keysPublish } from './keys-publish.command.js';
import { keysRotate } from './keys-rotate.command.js';
import { simulator } from './simulator.command.js';
import { token } from './token.command.js';

/** What `npx nestjs-maskinporten` can do, in the order of its help. A new command is added here. */
export const COMMANDS: readonly Command[] = [
  defineGroup('keys', { en: 'Keys and certificates', nb: 'Nøkler og sertifikater' }, [
    keysGenerate,
    keysJwk,
    keysInspect,
    keysPublish,
    keysRotate,
  ]),
  doctor,
  token,
  defineGroup('audit', { en: 'The audit log', nb: 'Revisjonsloggen' }, [auditVerify]),
  simulator,
];
