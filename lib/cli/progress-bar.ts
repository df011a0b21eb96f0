import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../bench/index.js';

/** Shows how far a measurement is, on a terminal only. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;
  #key = '';

  /** `stream` is where the display goes: stderr, so that results can be redirected. */
  constructor(stream: NodeJS.WriteStream) {
    if (!stream.isTTY) return;
    this.#bar = new SingleBar(
      {
        stream,
        format: '{size} B {phase} [{bar}] {percentage}%  ({number} of {sizes})',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        // SIGINT is the measurement's business: it prints what it has.
        gracefulExit: false,
      },
      Presets.rect,
    );
  }

  update({ phase, size, sizeIndex, sizeCount, iteration, iterations }: Progress): void {
    const payload = {
      phase,
      size,
      number: sizeIndex + 1,
      sizes: sizeCount,
    };
    const key = `${sizeIndex} ${phase}`;
    if (key === this.#key) {
      this.#bar?.update(iteration, payload);
    } else {
      this.#key = key;
      this.#bar?.start(iterations, iteration, payload);
    }
  }

  /** Takes the display away again. */
  stop(): void {
    this.#bar?.stop();
  }
}
