/** One side of a comparison: does its work once and says what it cost. */
export interface Contestant<K extends string> {
  readonly name: K;
  measure(): Promise<number>;
}

/**
 * Runs all contestants in turn, `rounds` times, in an order that is turned round each time (A B, B A, …), so that a
 * machine that gets faster or slower treats them alike. Garbage is not collected by force in between: that throws
 * optimised code away too, which no service in use has to live with.
 *
 * @returns for each name, one figure per round
 */
export async function alternate<K extends string>(
  contestants: readonly Contestant<K>[],
  options: { readonly rounds: number; readonly warmUps?: number },
): Promise<Record<K, number[]>> {
  const { rounds, warmUps = 1 } = options;
  const figures = Object.fromEntries(contestants.map(({ name }) => [name, []])) as unknown as Record<K, number[]>;
  for (let round = -warmUps; round < rounds; round += 1) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const contestant of order) {
      const figure = await contestant.measure();
      if (round >= 0) figures[contestant.name].push(figure);
    }
  }
  return figures;
}
