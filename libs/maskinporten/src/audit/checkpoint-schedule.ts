import type { AuditHead } from './chain.js';
import { CheckpointSigner, type AuditCheckpoint, type CheckpointKey } from './checkpoint.js';

/** Decides when a checkpoint is due: at the start and the end of a writer, and in between by number and time. */
export class CheckpointSchedule {
  readonly #signer: CheckpointSigner | undefined;
  readonly #records: number;
  readonly #milliseconds: number;
  #signedWriter: string | undefined;
  #signedSeq = 0;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;

  /** @throws MaskinportenConfigurationError (`MP_CONFIG`) unless the key is a private Ed25519 key */
  constructor(key: CheckpointKey | undefined, everyRecords: number, everySeconds: number) {
    this.#signer = key === undefined ? undefined : new CheckpointSigner(key);
    this.#records = everyRecords;
    this.#milliseconds = everySeconds * 1_000;
  }

  /** True when the time of uncovered records is up. */
  get isDue(): boolean {
    return this.#isDue;
  }

  /** The checkpoint that has to go with a batch that ends at `head`. */
  next(head: AuditHead, at: string, isLast: boolean): AuditCheckpoint | undefined {
    if (this.#signer === undefined) return undefined;
    const isFirst = this.#signedWriter !== head.writer;
    if (!isFirst && head.seq === this.#signedSeq) return undefined;
    const isDue = isFirst || isLast || this.#isDue || head.seq - this.#signedSeq >= this.#records;
    return isDue ? this.#signer.sign(head, at) : undefined;
  }

  /** A batch is stored, with or without a checkpoint. */
  stored(head: AuditHead, checkpoint: AuditCheckpoint | undefined, onDue: () => void): void {
    if (this.#signer === undefined) return;
    if (checkpoint !== undefined) {
      this.#signedWriter = checkpoint.writer;
      this.#signedSeq = checkpoint.seq;
      this.stop();
    }
    if (head.seq > this.#signedSeq && this.#timer === undefined) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#isDue = true;
        onDue();
      }, this.#milliseconds);
      this.#timer.unref();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isDue = false;
  }
}
