import { ownMembers } from '../basics/index.js';

/**
 * Where a simulator listens: what `startSimulator()` of `maskinporten-simulator` returns, or the line that
 * `npx maskinporten-simulator --json` prints.
 */
export interface RunningSimulator {
  readonly issuer: string;
  readonly platformUrl: string;
  readonly apiUrl: string;
  readonly operatorUrl: string;
  /** Needed when the simulator listens for other machines too. */
  readonly operatorToken?: string | undefined;
}

/** Adds one item to a running simulator; who is refused reads the simulator's own reason. */
export async function postToOperator(
  simulator: Pick<RunningSimulator, 'operatorUrl' | 'operatorToken'>,
  member: string,
  item: unknown,
): Promise<Response> {
  const { operatorUrl, operatorToken } = ownMembers(simulator);
  const response = await fetch(`${operatorUrl}/operator/api/${member}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(operatorToken && { authorization: `Bearer ${operatorToken}` }) },
    body: JSON.stringify(item),
  });
  if (response.ok) return response;
  throw new Error(
    `The simulator refused what was added to its ${member} (HTTP ${response.status}): ${await response.text()}`,
  );
}
