import type { ModulesContainer } from '@nestjs/core';

/** What `@nestjs/graphql` calls its options in the container; the package itself is not ours to require. */
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** The enhancers that every GraphQL module of this application runs around field resolvers too; by default none. */
export function fieldEnhancers(modules: ModulesContainer): ReadonlySet<string> {
  const lists: readonly unknown[][] = [...modules.values()].flatMap((module) => {
    const options: unknown = module.providers.get(GRAPHQL_OPTIONS)?.instance;
    if (typeof options !== 'object' || options === null) return [];
    const enhancers: unknown = Reflect.get(options, 'fieldResolverEnhancers');
    return [Array.isArray(enhancers) ? (enhancers as unknown[]) : []];
  });
  const [first = [], ...others] = lists;
  return new Set(
    first.filter((name): name is string => typeof name === 'string' && others.every((list) => list.includes(name))),
  );
}
