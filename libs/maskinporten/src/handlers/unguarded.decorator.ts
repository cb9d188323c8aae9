import { configurationError } from '../errors/index.js';
import { DecoratorUses } from './decorator-uses.js';

/** Members that say they do without what their base class declares. */
export const unguarded = new DecoratorUses<string>();

/**
 * Says that a method deliberately does without the `@RequireSystemUser` or `@Scopes` of the method that it overrides.
 * Without it such an override refuses the start. It switches nothing off: guards of the class still run.
 *
 * @param why the reason, for readers of the code; must not be empty
 * @throws MaskinportenConfigurationError (`MP_CONFIG`) without a reason, or on anything but a method
 * @example
 * class PublicController extends ClaimsController {
 *   @Get('claims')
 *   @Unguarded('made-up figures for the demonstration')
 *   override claims(): Claims { return EXAMPLE; }
 * }
 */
export function Unguarded(why: string): MethodDecorator {
  if (typeof why !== 'string' || why.trim() === '') throw refusal("needs a reason: @Unguarded('public data only')");
  return (target, member) => {
    if (member === undefined) throw refusal('belongs on a method, not on a class');
    unguarded.record(target, member, why);
  };
}

const refusal = (reason: string): Error => configurationError([{ field: '@Unguarded', code: 'MP_CONFIG', reason }]);
