import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A shell into which lines are pasted one after the other, as a newcomer does; variables live on between them. */
export class Shell {
  readonly #child = spawn('sh', [], { stdio: ['pipe', 'pipe', 'inherit'] });
  readonly #lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  #pasted = 0;

  /** @returns what the line printed */
  async paste(line: string): Promise<string> {
    this.#pasted += 1;
    const mark = `end-of-line-${this.#pasted}`;
    this.#child.stdin.write(`${line}\necho; echo ${mark}\n`);
    const printed: string[] = [];
    for (;;) {
      const { done, value } = await this.#lines.next();
      if (done === true) throw new Error(`The shell ended at: ${line}`);
      if (value === mark) return printed.join('\n').trim();
      printed.push(value);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    return Promise.resolve();
  }
}
