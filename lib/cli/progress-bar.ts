import { Presets, SingleBar } from 'cli-progress';
import type { Progress } from '../bench/index.js';

/** Without a terminal: when the first line comes, and each one after. */
const FIRST_LINE_MILLISECONDS = 2000;
const LINE_MILLISECONDS = 10_000;

/** Shows how far a measurement is: a bar on a terminal, elsewhere a line now and then when it takes long. */
export class ProgressBar {
  readonly #bar: SingleBar | undefined;
  readonly #stream: NodeJS.WriteStream;
  #key = '';
  #nextLineAt = performance.now() + FIRST_LINE_MILLISECONDS;

  /** `stream` is where the display goes: stderr, so that results can be redirected. */
  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
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
    if (!this.#bar) {
      const now = performance.now();
      if (now < this.#nextLineAt) return;
      this.#nextLineAt = now + LINE_MILLISECONDS;
      const percent = Math.floor((100 * iteration) / iterations);
      this.#stream.write(`${size} B ${phase}: ${percent} % (${sizeIndex + 1} of ${sizeCount})\n`);
      return;
    }
    const payload = {
      phase,
      size,
      number: sizeIndex + 1,
      sizes: sizeCount,
    };
    const key = `${sizeIndex} ${phase}`;
    if (key === this.#key) {
      this.#bar.update(iteration, payload);
    } else {
      this.#key = key;
      this.#bar.start(iterations, iteration, payload);
    }
  }

  /** Takes the display away again. */
  stop(): void {
    this.#bar?.stop();
  }
}
