import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { INSTRUMENTS } from 'nestjs-maskinporten';
import { parse } from 'yaml';
import { prometheusLabel, prometheusName } from '../src/metrics/prometheus-sink.js';
import { exportedNames, readPromql } from './support/prom-names.js';
import { AUTHORIZATION, closeAll, makeTestBed, serve, type TestBed } from './support/service.js';

const root = join(import.meta.dirname, '..');

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/maskinporten.json'), 'utf8')) as Dashboard;
const alerts = parse(readFileSync(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')) as Rules;

const expressions: readonly (readonly [string, string])[] = [
  ...dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [`panel: ${title}`, expr] as const)),
  ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [`alert: ${alert}`, expr] as const)),
];

/** Labels that Prometheus adds when it scrapes, and the bounds of buckets. */
const ADDED = ['instance', 'job', 'le'];

describe('/metrics of the running service', () => {
  let bed: TestBed;
  let scrape: string;
  let contentType: string | null;

  beforeAll(async () => {
    const caller = { headers: AUTHORIZATION };
    bed = await makeTestBed();
    const { url } = await serve(bed.variables);
    await fetch(`${url}/broker/transfers`, caller);
    await fetch(`${url}/broker/transfers`, caller);
    const response = await fetch(`${url}/metrics`);
    contentType = response.headers.get('content-type');
    scrape = await response.text();
  });
  afterAll(closeAll);

  it('counts what happened', () => {
    expect(contentType).toMatch(/^text\/plain; ?(version=0\.0\.4)/);
    expect(scrape).toMatch(
      /^maskinporten_client_token_requests_total\{maskinporten_client_name="default",.*maskinporten_outcome="obtained".*\} 1$/m,
    );
    expect(scrape).toMatch(/^maskinporten_client_cache_hits_total\{maskinporten_client_name="default"\} [1-9]$/m);
    expect(scrape).toMatch(/^process_cpu_seconds_total /m);
  });

  it('exports every instrument under the name that OpenTelemetry’s rules give', () => {
    const names = exportedNames(scrape);
    for (const instrument of Object.values(INSTRUMENTS)) {
      const name = prometheusName(instrument);
      expect(names).toContain(instrument.kind === 'histogram' ? `${name}_count` : name);
    }
    expect(prometheusName(INSTRUMENTS.tokenRequests)).toBe('maskinporten_client_token_requests_total');
    expect(prometheusName(INSTRUMENTS.credentialExpiry)).toBe('maskinporten_client_credential_expiry_days');
  });

  it('T-11: shows no secret, no client id, no organisation number and no scope', () => {
    for (const canary of ['eyJ', 'PRIVATE', bed.clientId, '310000019', 'altinn:']) expect(scrape).not.toContain(canary);
  });

  it.each(expressions)('%s reads only metrics and labels that are exported', (_name, expression) => {
    const names = exportedNames(scrape);
    const { metrics, groupedBy } = readPromql(expression);
    expect(metrics.length).toBeGreaterThan(0);
    const known: string[] = [...ADDED];
    for (const { name, labels } of metrics) {
      expect(names).toContain(name);
      const instrument = Object.values(INSTRUMENTS).find((each) =>
        ['', '_bucket', '_sum', '_count'].some((suffix) => name === `${prometheusName(each)}${suffix}`),
      );
      const exported = (instrument?.attributes ?? []).map(prometheusLabel);
      for (const label of labels) expect([...exported, ...ADDED]).toContain(label);
      known.push(...exported);
    }
    for (const label of groupedBy) expect(known).toContain(label);
  });

  it('would notice a name that is not exported', () => {
    const { metrics, groupedBy } = readPromql('sum by (a) (rate(no_such_total{b="c"}[5m])) / on (d) max(other)');
    expect(metrics).toEqual([
      { name: 'no_such_total', labels: ['b'] },
      { name: 'other', labels: [] },
    ]);
    expect(groupedBy).toContain('a');
    expect(exportedNames(scrape)).not.toContain('no_such_total');
    expect(() => readPromql('sum(rate(x[5m])')).toThrow(/not PromQL/);
  });

  it('works on Fastify too', async () => {
    const { url } = await serve(bed.variables, new FastifyAdapter());
    expect(exportedNames(await (await fetch(`${url}/metrics`)).text())).toEqual(exportedNames(scrape));
  });
});
