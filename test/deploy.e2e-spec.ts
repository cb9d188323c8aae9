import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DockerfileParser, type From } from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { parseAllDocuments } from 'yaml';
import { readEnvironment, readEnvironmentForMigration, VARIABLES } from '../src/config/index.js';

const deploy = join(import.meta.dirname, '../deploy');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** Kubernetes' own schemas, one class per kind. */
const MODELS: Readonly<Record<string, new (data: never) => { validate(): void }>> = {
  'apps/v1 Deployment': Deployment,
  'autoscaling/v2 HorizontalPodAutoscaler': HorizontalPodAutoscaler,
  'networking.k8s.io/v1 NetworkPolicy': NetworkPolicy,
  'policy/v1 PodDisruptionBudget': PodDisruptionBudget,
  'v1 ConfigMap': ConfigMap,
  'v1 Service': Service,
  'v1 ServiceAccount': ServiceAccount,
};

const manifests = readdirSync(join(deploy, 'kubernetes')).flatMap((file) =>
  parseAllDocuments(readFileSync(join(deploy, 'kubernetes', file), 'utf8')).map((document) => {
    for (const error of document.errors) throw new Error(`${file}: ${error.message}`);
    return document.toJS() as Manifest;
  }),
);

function check(manifest: Manifest): void {
  const Model = MODELS[`${manifest.apiVersion} ${manifest.kind}`];
  if (Model === undefined) throw new Error(`no schema for ${manifest.kind}`);
  new Model(manifest as never).validate();
}

const manifestOf = (kind: string): Manifest => {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
};

describe('Kubernetes manifests', () => {
  const deployment = manifestOf('Deployment') as never as {
    spec: {
      template: {
        spec: {
          automountServiceAccountToken: boolean;
          terminationGracePeriodSeconds: number;
          securityContext: object;
          volumes: { name: string; secret: { defaultMode: number } }[];
          initContainers: {
            args: string[];
            env: { name: string; value: string }[];
            securityContext: object;
            volumeMounts: { name: string; readOnly?: boolean }[];
          }[];
          containers: {
            env: { name: string; value?: string; valueFrom?: object }[];
            volumeMounts: { name: string; subPath?: string; readOnly?: boolean }[];
            securityContext: object;
            lifecycle: { preStop: { sleep: { seconds: number } } };
            startupProbe: Probe;
            livenessProbe: Probe;
            readinessProbe: Probe;
          }[];
        };
      };
    };
  };
  interface Probe {
    httpGet: { path: string };
    periodSeconds: number;
    timeoutSeconds: number;
    failureThreshold: number;
  }
  const pod = deployment.spec.template.spec;
  const container = pod.containers[0];
  const numbers = (probe: Probe | undefined): unknown =>
    probe && [probe.httpGet.path, probe.periodSeconds, probe.timeoutSeconds, probe.failureThreshold];

  it.each(manifests.map((manifest) => [manifest.kind, manifest] as const))('%s fits its schema', (_kind, manifest) => {
    expect(() => check(manifest)).not.toThrow();
  });

  it('would be refused with a mistake in them', () => {
    const broken = structuredClone(manifestOf('Deployment')) as never as typeof deployment;
    const [first] = broken.spec.template.spec.containers;
    if (first !== undefined) first.readinessProbe.periodSeconds = 'five' as never;
    expect(() => check(broken as never)).toThrow(/periodSeconds/);
  });

  it('probe: startup 2 s × 30, liveness 10 s/2 s/6, readiness 5 s/2 s/2', () => {
    expect(numbers(container?.startupProbe)).toEqual(['/health/live', 2, 2, 30]);
    expect(numbers(container?.livenessProbe)).toEqual(['/health/live', 10, 2, 6]);
    expect(numbers(container?.readinessProbe)).toEqual(['/health/ready', 5, 2, 2]);
    expect(container?.lifecycle.preStop.sleep.seconds).toBe(5);
    // preStop, then at most 20 s of shutting down.
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(5 + 20 + 5);
  });

  it('give the process no more than it needs', () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('mount the key as files of mode 0400, as a whole directory, and put no secret into a variable', () => {
    expect(pod.volumes.map(({ secret }) => secret.defaultMode)).toEqual([0o400, 0o400, 0o400, 0o400]);
    for (const mount of container?.volumeMounts ?? []) expect(mount).toMatchObject({ readOnly: true });
    expect(JSON.stringify(container?.volumeMounts)).not.toContain('subPath');
    expect(JSON.stringify(container?.env)).not.toContain('secretKeyRef');
  });

  it('make the tables of the audit log with credentials that the service does not have', () => {
    const [first] = pod.initContainers;
    expect(first?.args).toEqual(['dist/migrate-audit.js']);
    expect(first?.securityContext).toEqual(container?.securityContext);
    const environment = readEnvironmentForMigration(
      Object.fromEntries((first?.env ?? []).map(({ name, value }) => [name, value])),
    );
    expect(environment.DATABASE_MIGRATION_URL_FILE).toMatch(/^\/run\/secrets\/audit-owner\//);
    expect(first?.volumeMounts).toContainEqual(expect.objectContaining({ name: 'audit-owner' }));
    expect(container?.volumeMounts).not.toContainEqual(expect.objectContaining({ name: 'audit-owner' }));
    for (const { name } of first?.env ?? []) expect(VARIABLES).toContain(name);
  });

  it('set only variables that the service knows, to values that it accepts', () => {
    const names = (container?.env ?? []).map(({ name }) => name);
    for (const name of names) expect(VARIABLES).toContain(name);
    const { data } = manifestOf('ConfigMap') as Manifest & { data: Record<string, string> };
    const variables = (container?.env ?? []).map(({ name, value, valueFrom }) => [
      name,
      value ?? data[(valueFrom as { configMapKeyRef: { key: string } }).configMapKeyRef.key],
    ]);
    const environment = readEnvironment({ NODE_ENV: 'production', ...Object.fromEntries(variables) });
    expect(environment).toMatchObject({
      PORT: 3000,
      DATABASE_URL_FILE: '/run/secrets/audit/database-url',
      AUDIT_CHECKPOINT_KEY_FILE: '/run/secrets/audit/checkpoint-key.pem',
    });
    expect(environment.maskinporten?.reveal().options.key).toMatchObject({
      file: '/run/secrets/maskinporten/private-key.pem',
    });
  });

  it('let nothing out but DNS, the database of the audit log and HTTPS to the outside', () => {
    const { spec } = manifestOf('NetworkPolicy') as Manifest & {
      spec: { policyTypes: string[]; egress: { ports: { port: number }[] }[] };
    };
    expect(spec.policyTypes).toContain('Egress');
    expect(spec.egress.flatMap(({ ports }) => ports.map(({ port }) => port))).toEqual([53, 53, 5432, 443]);
  });

  it('keep one replica through maintenance and at least two otherwise', () => {
    expect(manifestOf('PodDisruptionBudget')).toMatchObject({ spec: { minAvailable: 1 } });
    expect(manifestOf('HorizontalPodAutoscaler')).toMatchObject({ spec: { minReplicas: 2 } });
  });
});

describe('Dockerfile', () => {
  const text = readFileSync(join(deploy, 'Dockerfile'), 'utf8');
  const dockerfile = DockerfileParser.parse(text);
  const stages = dockerfile.getFROMs();
  const lines = dockerfile.getInstructions().map((instruction) => instruction.toString());

  it('has no mistake that the linter knows, and the linter knows some', () => {
    expect(validate(text)).toEqual([]);
    expect(validate('FROM node\nWORKDIR\nFOO bar').length).toBeGreaterThan(0);
  });

  it('is multi-stage, from base images with a version', () => {
    expect(stages.length).toBeGreaterThanOrEqual(2);
    for (const stage of stages) expect(tagOf(stage)).toMatch(/^\d+-[a-z]+-slim$/);
  });

  it('ends as a user that is not root, with the dependencies of production only', () => {
    const users = lines.filter((line) => line.startsWith('USER '));
    expect(users).toEqual(['USER 1000:1000']);
    expect(lines.indexOf(users[0] ?? '')).toBeGreaterThan(lines.lastIndexOf('COPY --from=build /app/dist dist'));
    expect(text).toMatch(/npm ci --omit=dev/);
    expect(lines.filter((line) => line.startsWith('ADD '))).toEqual([]);
  });

  it('T-09: starts Node with the flags that close the inspector and keep secrets out of reports', () => {
    const entry = dockerfile
      .getENTRYPOINTs()[0]
      ?.getJSONStrings()
      .map((part) => part.getJSONValue());
    expect(entry).toEqual(['node', '--report-exclude-env', '--disable-sigusr1', '--disable-proto=delete']);
  });

  it('copies only what is not ignored', () => {
    const ignore = readFileSync(join(deploy, 'Dockerfile.dockerignore'), 'utf8').split('\n');
    expect(ignore[0]).toBe('**');
    const sources = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, list = '']) => list.split(' '));
    for (const source of sources) expect(ignore).toContain(`!${source.split('/', 1)[0]}`);
  });
});

const tagOf = (stage: From): string | null => stage.getImageTag();
