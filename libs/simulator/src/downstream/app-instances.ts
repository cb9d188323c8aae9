import { randomUUID } from 'node:crypto';

export interface DataElement {
  readonly id: string;
  readonly dataType: string;
  readonly contentType: string;
  readonly filename: string | undefined;
  content: string;
}

export interface Instance {
  readonly guid: string;
  readonly org: string;
  readonly app: string;
  /** Organisation number of the owner. */
  readonly owner: string;
  readonly created: string;
  readonly data: DataElement[];
  /** Index in {@link TASKS}; its length when the process has ended. */
  task: number;
  ended: string | undefined;
}

/** Steps of the simulated app: a form to fill, then a confirmation. `process/next` is called once for each. */
export const TASKS = [
  { elementId: 'Task_1', name: 'Utfylling', altinnTaskType: 'data' },
  { elementId: 'Task_2', name: 'Bekreftelse', altinnTaskType: 'confirmation' },
] as const;

/** What has been sent in to the apps. */
export class AppInstances {
  readonly #instances = new Map<string, Instance>();

  create(members: Pick<Instance, 'org' | 'app' | 'owner' | 'created'>, prefill: unknown): Instance {
    const form: DataElement = {
      id: randomUUID(),
      dataType: 'model',
      contentType: 'application/json',
      filename: undefined,
      content: JSON.stringify(prefill ?? {}),
    };
    const instance: Instance = { guid: randomUUID(), ...members, data: [form], task: 0, ended: undefined };
    this.#instances.set(instance.guid, instance);
    return instance;
  }

  find(org: string, app: string, guid: string): Instance | undefined {
    const instance = this.#instances.get(guid);
    return instance?.org === org && instance.app === app ? instance : undefined;
  }

  clear(): void {
    this.#instances.clear();
  }
}
