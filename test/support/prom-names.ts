import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression reads: each metric with the labels that its matchers name, and the labels it groups by. */
export interface PromqlUse {
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly groupedBy: readonly string[];
}

/** @throws Error when the expression is not PromQL */
export function readPromql(expression: string): PromqlUse {
  const metrics: { name: string; labels: string[] }[] = [];
  const groupedBy: string[] = [];
  let inMatchers = false;
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      const text = expression.slice(from, to);
      if (type.isError) throw new Error(`not PromQL at ${from}: ${expression}`);
      if (type.name === 'Identifier') metrics.push({ name: text, labels: [] });
      if (type.name === 'LabelMatchers') inMatchers = true;
      if (type.name === 'LabelName') (inMatchers ? metrics.at(-1)?.labels : groupedBy)?.push(text);
    },
    leave: ({ type }) => {
      if (type.name === 'LabelMatchers') inMatchers = false;
    },
  });
  return { metrics, groupedBy };
}

/** Names of all series that a scrape promises, histograms with their three suffixes. */
export function exportedNames(scrape: string): ReadonlySet<string> {
  const names = [...scrape.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => `${name}${suffix}`) : [name],
  );
  return new Set(names);
}
