import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** Guards of ours that a test may replace. */
export const replaceableGuards = new Set<Type>();

/**
 * Has somebody put another guard in the place of ours? Only `overrideGuard` of a testing module does that: a provider
 * under the same token does not, since Nest takes guards from elsewhere. Then nothing of ours stands in a test's way.
 */
export const isGuardReplaced = (modules: ModulesContainer): boolean =>
  [...modules.values()].some(({ injectables }) =>
    [...replaceableGuards].some((guard) => {
      const wrapper = injectables.get(guard);
      return wrapper !== undefined && wrapper.metatype !== guard;
    }),
  );
